export * from "@batchnorm/spec/users";
export { type CpuBackend, type CpuLayer, type CpuOptions, createBackend } from "./backend.ts";
