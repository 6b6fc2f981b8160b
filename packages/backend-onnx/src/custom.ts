export * from "@batchnorm/spec/users";
export { createBackend, type OnnxBackend } from "./backend.ts";
export * from "./from-onnx.ts";
export type { CustomBackendOptions } from "./options.ts";
export type { ExecutionProvider, OrtRuntime } from "./runtime.ts";
export * from "./to-onnx.ts";
