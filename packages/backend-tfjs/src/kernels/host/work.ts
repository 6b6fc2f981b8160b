import { Normalizer } from "@batchnorm/backend-cpu/kernels";

/** What one kernel works with, float64 `[channels]` each; set anew by every call. */
export interface Work {
  readonly normalizer: Normalizer;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  readonly dgamma: Float64Array;
  readonly dbeta: Float64Array;
}

/** Kept for as many numbers of channels, as a model's layers have them, and for no more channels than this: 8 MB in all. */
const MOST_KEPT = 16;
const WIDEST_KEPT = 8192;

const kept = new Map<number, Work>();

/** Kernels run one after another, so all share these arrays. */
export function workFor(channels: number): Work {
  const known = kept.get(channels);
  if (known !== undefined) return known;
  const float64 = (): Float64Array => new Float64Array(channels);
  const work = { normalizer: new Normalizer(channels), mean: float64(), variance: float64(), dgamma: float64(), dbeta: float64() };
  if (channels > WIDEST_KEPT) return work;
  if (kept.size === MOST_KEPT) kept.clear();
  kept.set(channels, work);
  return work;
}
