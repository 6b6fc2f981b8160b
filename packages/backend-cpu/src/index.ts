export * from "./backend.ts";
export type { CpuOptions } from "./engine.ts";
export type { CpuLayer } from "./layer.ts";
export type { CpuTensor, Float32Tensor } from "./tensor.ts";
