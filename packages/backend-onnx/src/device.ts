import type { Supports } from "@batchnorm/spec";

/** What an execution provider is good for. */
export interface Device {
  /** The name of the provider, such as `wasm`. */
  readonly name: string;
  /** Whether the runtime's CPU kernels run, on memory that JavaScript sees. */
  readonly onHost: boolean;
  /** Whether two calls of the runtime may be under way at once. */
  readonly concurrent: boolean;
  /** How long a row of the layout `CHANNELS_LAST` may get. */
  readonly longestRow: number;
  /** How many terms a float32 sum may have in a row. */
  readonly longestStage: number;
  readonly supports: Supports;
}

/**
 * On the CPU: past the length where the bookkeeping of a row costs little, before the one where vectors of that length leave the
 * cache. Of 512 to 8192, 2048 was best, or within 5 % of it, for 16 to 1280 channels, forward and backward.
 *
 * On a GPU: the sums of `[rows, 32768]` over the rows are 32768 threads that read neighbouring numbers. Of shorter rows there are more,
 * and the runtime then transposes first: 110 ms against 260 for a training step on `[25088, 64]` with 2048, in software.
 * (onnxruntime-web 1.30.)
 */
const LONGEST_ROW = { host: 2048, gpu: 32_768 };

/**
 * On the CPU one term after another is added, so that each block is a chain of roundings; and one large term makes all that come after it in its
 * chain lose digits. Of 128 terms such a term costs 20 units in the last place, of 32 at most 3.
 *
 * On a GPU 32 threads share a sum (onnxruntime-web 1.30), so that chains are short there.
 */
const LONGEST_STAGE = { host: 32, gpu: 64 };

/** Providers of onnxruntime-web. One thing at a time: see `Turns`. */
const WEB_PROVIDERS = new Set(["wasm", "webgpu", "webnn", "webgl"]);
const HOST_PROVIDERS = new Set(["wasm", "cpu"]);

export function deviceOf(name: string): Device {
  const onHost = HOST_PROVIDERS.has(name);
  return {
    name,
    onHost,
    concurrent: !WEB_PROVIDERS.has(name),
    longestRow: onHost ? LONGEST_ROW.host : LONGEST_ROW.gpu,
    longestStage: onHost ? LONGEST_STAGE.host : LONGEST_STAGE.gpu,
    supports: {
      maxRank: null,
      dtypes: ["float32"],
      training: true,
      gradients: true,
      masks: true,
      // onnxruntime-web 1.30 accepts a preallocated output on wasm and never writes to it. (onnxruntime-node does write to it.)
      out: false,
      varianceEstimators: ["population", "sample"],
      // To reject is to look, and what lies on a GPU would have to be read back for that.
      nonFinite: onHost ? ["propagate", "reject"] : ["propagate"],
      accumulation: "float32",
      // WGSL lets an implementation flush; SwiftShader does in every operation.
      subnormals: onHost ? "preserved" : "flushed",
    },
  };
}
