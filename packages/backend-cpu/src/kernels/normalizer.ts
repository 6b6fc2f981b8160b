/** What normalizes each channel, `[channels]`: y = gamma * (x - mean) * inverseDeviation + beta. gamma null is 1, beta null is 0. */
export class Normalizer {
  readonly mean: Float64Array;
  /** 1 / sqrt(variance + epsilon). */
  readonly inverseDeviation: Float64Array;
  readonly gamma: Float32Array | null;
  readonly beta: Float32Array | null;
  #revision = 0;

  constructor(channels: number, gamma: Float32Array | null, beta: Float32Array | null) {
    this.mean = new Float64Array(channels);
    this.inverseDeviation = new Float64Array(channels);
    this.gamma = gamma;
    this.beta = beta;
  }

  /** Another number each time that `setVariance` is called, which completes a change: by this, kernels may keep what they derive. */
  get revision(): number {
    return this.#revision;
  }

  setVariance(variance: Float32Array | Float64Array, epsilon: number): void {
    for (let c = 0; c < variance.length; c++) this.inverseDeviation[c] = 1 / Math.sqrt(variance[c] + epsilon);
    this.#revision++;
  }
}
