import { BatchNormError, promiseBackend } from "@batchnorm/spec";
import { makeBackend, type OnnxBackend } from "./backend.ts";
import { checkBackendOptions, type OnnxBackendOptions } from "./options.ts";
import { type OrtRuntime, providerName } from "./runtime.ts";

/**
 * Makes a backend, on onnxruntime-web unless a runtime is handed in. For webgpu that is its entry with the WebGPU
 * execution provider (its main entry still has the older JSEP, which takes integer reductions back to the CPU;
 * onnxruntime-web 1.30).
 *
 * A bundler that sees this function packs onnxruntime-web's files, used or not; `@batchnorm/backend-onnx/custom` has
 * the same one without a runtime of its own.
 *
 * @throws BatchNormError `invalid-argument` for the options; `runtime-failure` where onnxruntime-web cannot be loaded,
 * or no provider works, such as `webgpu` without an adapter.
 */
export function createBackend(options: OnnxBackendOptions = {}): Promise<OnnxBackend> {
  return promiseBackend(makeDefaultBackend(options));
}

async function makeDefaultBackend(options: OnnxBackendOptions): Promise<OnnxBackend> {
  checkBackendOptions(options);
  const { ort, executionProviders } = options;
  const wantsWebGpu = executionProviders?.some((each) => providerName(each) === "webgpu") ?? false;
  return makeBackend({ ort: ort ?? (await importRuntime(wantsWebGpu)), executionProviders });
}

/** @throws BatchNormError `runtime-failure` when onnxruntime-web is not installed or cannot be loaded. */
async function importRuntime(wantsWebGpu: boolean): Promise<OrtRuntime> {
  try {
    // Two literals, so that a bundler sees both.
    return wantsWebGpu ? await import("onnxruntime-web/webgpu") : await import("onnxruntime-web");
  } catch (cause) {
    throw new BatchNormError(
      "runtime-failure",
      "onnxruntime-web could not be loaded",
      String(cause),
      "onnxruntime-web to be installed, or the option ort",
      cause,
    );
  }
}
