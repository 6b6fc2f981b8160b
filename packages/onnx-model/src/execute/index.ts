export type { ChannelDrift, LayerDrift } from "./drift.ts";
export type { SkippedLayer } from "./execution.ts";
export type { Batches } from "./measure.ts";
export { measureShard, mergePartials, type Partial, type Shard, type ShardOptions } from "./partial.ts";
export { type RandomOptions, randomInputs } from "./random-inputs.ts";
export { type Progress, type RecalibrateOptions, type RecalibrateResult, recalibrate } from "./recalibrate.ts";
export type { Feeds, Runtime, RuntimeTensor, SessionOptions } from "./runtime.ts";
export { type CheckedElement, type VerifiedLayer, type VerifyOptions, type VerifyResult, verify } from "./verify.ts";
