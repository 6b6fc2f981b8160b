import { ByChannels, Normalizer } from "@batchnorm/backend-cpu/kernels";

/** What one kernel works with, float64 `[channels]` each; set anew by every call. */
export interface Work {
  readonly normalizer: Normalizer;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  readonly dgamma: Float64Array;
  readonly dbeta: Float64Array;
}

/** Kernels run one after another, so all share these arrays. */
export const works: ByChannels<Work> = new ByChannels((channels) => {
  const float64 = (): Float64Array => new Float64Array(channels);
  return { normalizer: new Normalizer(channels), mean: float64(), variance: float64(), dgamma: float64(), dbeta: float64() };
});
