export * from "@batchnorm/spec/users";
export { type CpuBackend, type CpuOptions, createBackend } from "./backend.ts";
export type { CpuLayer, HalfGradients, HalfTensorOf, HostBackend } from "./tensors.ts";
