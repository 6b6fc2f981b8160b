import type { Peer } from "../peer.ts";

/** A peer, made when it is wanted: two of them in one process would load two runtimes that do not go together. */
export interface PeerSource {
  readonly name: string;
  load(): Promise<Peer>;
}

/** The peers that run in this Node. */
export const JAVASCRIPT_PEERS: readonly PeerSource[] = [
  { name: "tfjs-layers/cpu", load: async () => (await import("./tfjs-layers.ts")).tfjsLayers("cpu") },
  { name: "tfjs-layers/wasm", load: async () => (await import("./tfjs-layers.ts")).tfjsLayers("wasm") },
  { name: "tfjs-batchNorm/cpu", load: async () => (await import("./tfjs-batch-norm.ts")).tfjsBatchNorm("cpu") },
  { name: "tfjs-batchNorm/wasm", load: async () => (await import("./tfjs-batch-norm.ts")).tfjsBatchNorm("wasm") },
  { name: "onnx-operator/wasm", load: async () => (await import("./onnx-node.ts")).onnxWasm },
  { name: "onnx-operator/node", load: async () => (await import("./onnx-node.ts")).onnxNode },
  { name: "deepbox", load: async () => (await import("./deepbox.ts")).deepbox },
  { name: "jax-js/wasm", load: async () => (await import("./jax-js.ts")).jaxJs },
];
