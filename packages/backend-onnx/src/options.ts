import { BatchNormError, rejectUnknownOptions } from "@batchnorm/spec";
import type { ExecutionProvider, OrtRuntime } from "./runtime.ts";

/** Options of `createBackend` where the runtime is yours. */
export interface CustomBackendOptions {
  /** The runtime whose tensors you use. */
  readonly ort: OrtRuntime;
  /**
   * As in the runtime's session options; the first one that works here is used. Default: `wasm`, or `cpu` where `ort`
   * is onnxruntime-node.
   */
  readonly executionProviders?: readonly ExecutionProvider[] | undefined;
}

/** Options of `createBackend` where onnxruntime-web may be loaded. */
export interface OnnxBackendOptions extends Omit<CustomBackendOptions, "ort"> {
  /** The runtime whose tensors you use. Default: onnxruntime-web, loaded here. */
  readonly ort?: OrtRuntime | undefined;
}

/** @throws BatchNormError `invalid-argument` */
export function checkBackendOptions(options: unknown): asserts options is OnnxBackendOptions {
  rejectUnknownOptions("The options of createBackend", options, ["ort", "executionProviders"]);
  const { ort, executionProviders } = options as OnnxBackendOptions;
  if (ort !== undefined && !isRuntime(ort)) {
    throw new BatchNormError("invalid-argument", "ort is not an ONNX Runtime", ort, "the module of onnxruntime-web or onnxruntime-node");
  }
  const isList = Array.isArray(executionProviders) && executionProviders.length > 0 && [...executionProviders].every(isProvider);
  if (executionProviders !== undefined && !isList) {
    throw new BatchNormError(
      "invalid-argument",
      "executionProviders is not a list of providers",
      executionProviders,
      "one or more names such as 'wasm', or objects with such a name",
    );
  }
}

function isRuntime(value: unknown): boolean {
  const { InferenceSession, Tensor, env } = (value ?? {}) as Partial<OrtRuntime>;
  return typeof InferenceSession?.create === "function" && typeof Tensor === "function" && typeof env?.versions === "object";
}

function isProvider(value: unknown): boolean {
  const name: unknown = typeof value === "object" && value !== null ? (value as { name?: unknown }).name : value;
  return typeof name === "string" && name !== "";
}
