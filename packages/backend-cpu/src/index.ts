export { type CpuBackend, type CpuLayer, type CpuOptions, createBackend } from "./backend.ts";
