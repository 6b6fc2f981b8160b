import { BatchNormError } from "@batchnorm/spec";
import type * as common from "onnxruntime-common";

/** What this package uses of an ONNX Runtime: `onnxruntime-web`, `onnxruntime-node`, or another over onnxruntime-common. */
export type OrtRuntime = Pick<typeof common, "InferenceSession" | "Tensor" | "env">;

/** A name such as 'wasm', or an object with that name and options of the provider. */
export type ExecutionProvider = common.InferenceSession.ExecutionProviderConfig;

/** The name under which a runtime knows a provider. */
export function providerName(provider: ExecutionProvider): string {
  return typeof provider === "string" ? provider : provider.name;
}

/**
 * The runtime that is used unless one is handed in: onnxruntime-web, for webgpu its entry with the WebGPU execution provider
 * (its main entry still has the older JSEP, which takes integer reductions back to the CPU; onnxruntime-web 1.30).
 *
 * @throws BatchNormError `runtime-failure` when it is not installed or cannot be loaded.
 */
export async function importRuntime(device: string): Promise<OrtRuntime> {
  try {
    // Two literals, so that a bundler sees both.
    return device === "webgpu" ? await import("onnxruntime-web/webgpu") : await import("onnxruntime-web");
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

/** The providers that are used unless some are named. */
export function defaultProviders(ort: OrtRuntime | undefined): readonly ExecutionProvider[] {
  return [ort?.env.versions.node === undefined ? "wasm" : "cpu"];
}
