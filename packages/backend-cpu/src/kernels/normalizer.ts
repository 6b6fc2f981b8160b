import { type Float32Constants, foldNormalization, newFloat32Constants } from "../simd/float32.ts";

/** Numbers of each channel, `[channels]`. */
export type ChannelNumbers = Float32Array | Float64Array;

/**
 * What normalizes each channel, float64 `[channels]`:
 *
 *     y = gamma * (x - mean) / sqrt(variance + epsilon) + beta = (x - mean) * slope + offset
 *
 * Made once for a layer and set again for every new mean and variance, so that a call allocates nothing.
 */
export class Normalizer {
  readonly channels: number;
  readonly mean: Float64Array;
  /** 1 / sqrt(variance + epsilon). */
  readonly inverseDeviation: Float64Array;
  /** gamma * inverseDeviation, with 1 for an absent gamma. */
  readonly slope: Float64Array;
  /** beta, with 0 for an absent one. */
  readonly offset: Float64Array;
  #float32: Float32Constants | null = null;
  #isFolded = false;
  #fits = false;

  constructor(channels: number) {
    this.channels = channels;
    this.mean = new Float64Array(channels);
    this.inverseDeviation = new Float64Array(channels);
    this.slope = new Float64Array(channels);
    this.offset = new Float64Array(channels);
  }

  /**
   * Takes in a mean (which may be this one's own), a population variance and the parameters, `[channels]` each; null where a
   * layer has no gamma or no beta.
   */
  set(mean: ChannelNumbers, variance: ChannelNumbers, epsilon: number, gamma: ChannelNumbers | null, beta: ChannelNumbers | null): void {
    const { channels, mean: own, inverseDeviation, slope, offset } = this;
    for (let c = 0; c < channels; c++) {
      const inverse = 1 / Math.sqrt(variance[c] + epsilon);
      own[c] = mean[c];
      inverseDeviation[c] = inverse;
      slope[c] = gamma === null ? inverse : gamma[c] * inverse;
      offset[c] = beta === null ? 0 : beta[c];
    }
    this.#isFolded = false;
  }

  /** The same for float32 arithmetic, derived when it is first asked for; null where float32 cannot hold it. */
  float32(): Float32Constants | null {
    if (!this.#isFolded) {
      this.#float32 ??= newFloat32Constants(this.channels, false);
      this.#fits = foldNormalization(this.#float32, 0, this.channels, this.mean, this.slope, this.offset);
      this.#isFolded = true;
    }
    return this.#fits ? this.#float32 : null;
  }
}
