import type { ChannelView } from "@batchnorm/spec";
import type { Normalizer } from "./normalizer.ts";

/** What a forward pass keeps for its backward pass. */
export interface Saved {
  readonly x: Float32Array;
  /** What normalized x. */
  readonly normalizer: Normalizer;
  /** Set where the batch's own statistics normalized, and the gradient therefore flows through them too. */
  readonly batch: { readonly n: number; readonly mask: Uint8Array | null } | null;
}

/**
 * dbeta = sum(dy) and dgamma = sum(dy * xHat), `[channels]`, over all elements, masked ones included: the output at masked
 * places depends on gamma and beta like any other. xHat = (x - mean) / sqrt(variance + epsilon). Sums are float64.
 */
export function parameterGradients(
  dy: Float32Array,
  { x, normalizer }: Saved,
  { outer, channels, inner }: ChannelView,
  dgamma: Float64Array,
  dbeta: Float64Array,
): void {
  const { mean, inverseDeviation } = normalizer;
  dgamma.fill(0);
  dbeta.fill(0);
  let k = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      let projection = 0;
      for (const end = k + inner; k < end; k++) {
        sum += dy[k];
        projection += dy[k] * (x[k] - mean[c]);
      }
      dbeta[c] += sum;
      dgamma[c] += projection * inverseDeviation[c];
    }
  }
}

/**
 * The gradient of x, from the sums above. Past moving statistics (clause 10.2):
 *
 *     dx = gamma * inverseDeviation * dy
 *
 * and through the batch statistics (clause 10.1), where only visible elements entered them:
 *
 *     dx = gamma * inverseDeviation * (dy - visible * (dbeta + xHat * dgamma) / n)
 *
 * Source: Ioffe & Szegedy 2015, section 3, with d(mean) and d(variance) substituted. dx may be dy itself.
 */
export function inputGradient(
  dy: Float32Array,
  dx: Float32Array,
  { x, normalizer, batch }: Saved,
  { outer, channels, inner }: ChannelView,
  dgamma: Float64Array,
  dbeta: Float64Array,
): void {
  const { mean, inverseDeviation, gamma } = normalizer;
  let k = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      const slope = gamma === null ? inverseDeviation[c] : gamma[c] * inverseDeviation[c];
      for (let i = 0; i < inner; i++, k++) {
        let through = 0;
        if (batch !== null && (batch.mask === null || batch.mask[o * inner + i] !== 0)) {
          const xHat = (x[k] - mean[c]) * inverseDeviation[c];
          through = (dbeta[c] + xHat * dgamma[c]) / batch.n;
        }
        dx[k] = slope * (dy[k] - through);
      }
    }
  }
}
