import { type Backend, type BatchNormConfig, type LayerRuntime, resolveLayer, type StateInput } from "@batchnorm/spec";
import type { Tensor } from "onnxruntime-common";
import { deviceOf } from "./device.ts";
import { OnnxLayer } from "./layer.ts";
import { defaultProviders, type ExecutionProvider, importRuntime, type OrtRuntime, providerName } from "./runtime.ts";
import { Sessions } from "./sessions.ts";
import { downloadTensor, ortTensors, uploadTensor } from "./tensors.ts";
import { turnsOn } from "./turns.ts";

export interface OnnxBackendOptions {
  /** The runtime whose tensors you use. Default: onnxruntime-web, loaded here. */
  readonly ort?: OrtRuntime;
  /** As in the runtime's session options; the first one decides. Default: `wasm`, or `cpu` where `ort` is onnxruntime-node. */
  readonly executionProviders?: readonly ExecutionProvider[];
}

/** The contract on ONNX Runtime: its layers answer with promises. */
export interface OnnxBackend extends Backend<Tensor, "async", "async"> {
  create(config: Partial<BatchNormConfig>, state: StateInput): OnnxLayer;
  /** Releases the sessions that are kept for the next layer and that no layer uses now. The backend stays usable. */
  releaseIdleSessions(): Promise<void>;
}

/**
 * Makes a backend on one execution provider. It holds the sessions that its layers share: a session is made at the first call that
 * needs it, and one that lost its last layer to `dispose` is kept, up to a limit, for the next.
 *
 * Its name is `onnx/` and the provider's. On `wasm` and `cpu` x lies on the host; on `webgpu` it may lie there or on the GPU, and the
 * output lies where x does.
 *
 * @throws BatchNormError `runtime-failure` when onnxruntime-web has to be loaded and cannot be.
 */
export async function createBackend(options: OnnxBackendOptions = {}): Promise<OnnxBackend> {
  const executionProviders = options.executionProviders ?? defaultProviders(options.ort);
  const device = deviceOf(providerName(executionProviders[0]));
  const ort = options.ort ?? (await importRuntime(device.name));
  const sessions = new Sessions(ort, executionProviders, device.concurrent ? null : turnsOn(ort.InferenceSession));
  const runtime: LayerRuntime<Tensor, "async"> = { timing: "async", supports: device.supports, ...ortTensors };
  const surroundings = { ort, device, sessions };
  return {
    specVersion: 1,
    name: `onnx/${device.name}`,
    supports: device.supports,
    create: (config, state) => new OnnxLayer(runtime, surroundings, resolveLayer(device.supports, config, state)),
    upload: (tensor) => uploadTensor(ort, tensor),
    download: downloadTensor,
    release: (tensor) => tensor.dispose(),
    releaseIdleSessions: () => sessions.releaseIdle(),
  };
}
