import type { Limits } from "@batchnorm/spec";
import type { Tensor } from "onnxruntime-common";
import type { OrtRuntime } from "./runtime.ts";

/** What an execution provider is good for. */
export interface Device {
  /** The name of the provider, such as `wasm`. */
  readonly name: string;
  /** Whether the runtime's CPU kernels run, on memory that JavaScript sees. */
  readonly onHost: boolean;
  /** Where x, the mask and dy may lie. What a pass keeps stays on the device if `gpu-buffer` is among them. */
  readonly locations: readonly Tensor.DataLocation[];
  /** How long a row of the layout `CHANNELS_LAST` may get. */
  readonly longestRow: number;
  /** How many terms a float32 sum may have in a row. */
  readonly longestStage: number;
  readonly limits: Limits;
}

/**
 * On the CPU: past the length where the bookkeeping of a row costs little, before the one where vectors of that length
 * leave the cache. Of 512 to 8192, 2048 was best, or within 5 % of it, for 16 to 1280 channels, forward and backward.
 *
 * On a GPU: the sums of `[rows, 32768]` over the rows are 32768 threads that read neighbouring numbers. Of shorter rows
 * there are more, and the runtime then transposes first: 110 ms against 260 for a training step on `[25088, 64]` with
 * 2048, in software. (onnxruntime-web 1.30.)
 */
const LONGEST_ROW = { host: 2048, gpu: 32_768 };

/**
 * On the CPU one term after another is added, so that each block is a chain of roundings; and one large term makes all
 * that come after it in its chain lose digits: of 128 terms up to 20 units in the last place, of 32 at most 3.
 *
 * On a GPU 32 threads share a sum (onnxruntime-web 1.30), so that chains are short there.
 */
const LONGEST_STAGE = { host: 32, gpu: 64 };

const HOST_PROVIDERS = new Set(["wasm", "cpu"]);
const HOST_LOCATIONS: readonly Tensor.DataLocation[] = ["cpu", "cpu-pinned"];

/**
 * @param isWeb whether the runtime is onnxruntime-web, the only one that shares its GPU buffers with JavaScript.
 * @param hasFloat16 whether a GPU takes tensors of float16; the CPU always does.
 */
export function deviceOf(name: string, isWeb: boolean, hasFloat16: boolean = false): Device {
  const onHost = HOST_PROVIDERS.has(name);
  return {
    name,
    onHost,
    locations: isWeb && name === "webgpu" ? [...HOST_LOCATIONS, "gpu-buffer"] : HOST_LOCATIONS,
    longestRow: onHost ? LONGEST_ROW.host : LONGEST_ROW.gpu,
    longestStage: onHost ? LONGEST_STAGE.host : LONGEST_STAGE.gpu,
    limits: {
      // No bfloat16: the runtimes have no kernels for it on the CPU, and no arrays.
      dtypes: onHost || hasFloat16 ? ["float32", "float16"] : ["float32"],
      masks: true,
      // No `out`: onnxruntime-web 1.30 accepts a preallocated output on wasm and never writes to it. (onnxruntime-node
      // does.)
      varianceEstimators: ["population", "sample"],
      accumulation: "float32",
      // WGSL lets an implementation flush; SwiftShader does in every operation.
      subnormals: onHost ? "preserved" : "flushed",
    },
  };
}

/**
 * Whether shaders of the runtime's GPUDevice, which is there once a session is, know 16-bit floats. Without them a session with float16
 * tensors fails to be made or to run (onnxruntime-web 1.30).
 */
export async function hasShaderF16({ env }: Pick<OrtRuntime, "env">): Promise<boolean> {
  const device = (await env.webgpu.device) as { readonly features?: ReadonlySet<string> } | undefined;
  return device?.features?.has("shader-f16") ?? false;
}
