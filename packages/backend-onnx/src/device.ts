import type { Supports } from "@batchnorm/spec";

/** What an execution provider is good for. */
export interface Device {
  /** The name of the provider, such as `wasm`. */
  readonly name: string;
  /** Whether the runtime's CPU kernels run, on memory that JavaScript sees. */
  readonly onHost: boolean;
  /** Whether two calls of the runtime may be under way at once. */
  readonly concurrent: boolean;
  readonly supports: Supports;
}

/** Providers of onnxruntime-web. One thing at a time: see `Turns`. */
const WEB_PROVIDERS = new Set(["wasm", "webgpu", "webnn", "webgl"]);
const HOST_PROVIDERS = new Set(["wasm", "cpu"]);

export function deviceOf(name: string): Device {
  const onHost = HOST_PROVIDERS.has(name);
  return {
    name,
    onHost,
    concurrent: !WEB_PROVIDERS.has(name),
    supports: {
      maxRank: null,
      dtypes: ["float32"],
      training: true,
      gradients: true,
      masks: true,
      // onnxruntime-web 1.30 accepts a preallocated output on wasm and never writes to it.
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
