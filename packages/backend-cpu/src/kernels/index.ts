export { uninitializedFloats } from "../memory/uninitialized.ts";
export { ByChannels } from "./by-channels.ts";
export type { EngineOptions } from "./engine.ts";
export type { BatchElements } from "./gradients.ts";
export { createKernels, type Kernels } from "./kernels.ts";
export { updateMovingStatistics } from "./moving-average.ts";
export { type ChannelNumbers, Normalizer } from "./normalizer.ts";
