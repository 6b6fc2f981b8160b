export * from "./backend.ts";
export type { CpuLayer } from "./layer.ts";
export type { CpuTensor } from "./tensor.ts";
