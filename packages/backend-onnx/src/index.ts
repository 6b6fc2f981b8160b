export * from "@batchnorm/spec/users";
export type { OnnxBackend } from "./backend.ts";
export * from "./default-backend.ts";
export * from "./from-onnx.ts";
export type { OnnxBackendOptions } from "./options.ts";
export type { ExecutionProvider, OrtRuntime } from "./runtime.ts";
export * from "./to-onnx.ts";
