import { type Backend, BatchNormError, defineBackend, promiseBackend } from "@batchnorm/spec";
import type { Tensor } from "onnxruntime-common";
import { ortArithmetic } from "./arithmetic.ts";
import { deviceOf, hasShaderF16 } from "./device.ts";
import { type CustomBackendOptions, checkBackendOptions } from "./options.ts";
import { defaultProviders, isWebRuntime, ownProviders, providerName } from "./runtime.ts";
import { Sessions } from "./sessions.ts";
import { startRuntime } from "./start.ts";
import { tensorStore } from "./store.ts";
import { ortTensors } from "./tensors.ts";
import { turnsOn } from "./turns.ts";

/** The contract on ONNX Runtime: its layers answer with promises. */
export interface OnnxBackend extends Backend<Tensor, "async"> {
  /**
   * Releases the sessions that are kept for the next layer and that no layer uses now. The backend stays usable. On
   * `webgpu` the runtime's GPUDevice goes with its last session, and with it every tensor on the GPU.
   */
  releaseIdleSessions(): Promise<void>;
}

/**
 * Makes a backend on the runtime that is handed in. It holds the sessions that its layers share: a session is made at
 * the first call that needs it, and one that lost its last layer to `dispose` is kept, up to a limit, for the next.
 *
 * Its name is `onnx/` and that of the provider which runs: the first of `executionProviders` that works here. On `wasm`
 * and `cpu` x lies on the host; on onnxruntime-web's `webgpu` it may lie there or on the GPU, and the output lies where
 * x does. A config with `nonFinite: 'reject'` is refused on a GPU.
 *
 * @throws BatchNormError `invalid-argument` for the options; `runtime-failure` where no provider works, such as
 * `webgpu` without an adapter.
 */
export function createBackend(options: CustomBackendOptions): Promise<OnnxBackend> {
  return promiseBackend(makeBackend(options));
}

/** What `createBackend` gives, as a plain promise. */
export async function makeBackend(options: CustomBackendOptions): Promise<OnnxBackend> {
  checkBackendOptions(options);
  const { ort, executionProviders } = options;
  if (ort === undefined) throw new BatchNormError("invalid-argument", "There is no ort", ort, "the module of an ONNX Runtime");
  const isWeb = isWebRuntime(ort);
  // onnxruntime-web does one thing at a time, whichever provider runs.
  const turns = isWeb ? turnsOn(ort.InferenceSession) : null;
  const started = await startRuntime(ort, ownProviders(ort, executionProviders ?? defaultProviders(ort)), turns);
  const name = providerName(started.providers[0]);
  const device = deviceOf(name, isWeb, isWeb && name === "webgpu" && (await hasShaderF16(ort)));
  const sessions = new Sessions(ort, started, turns);
  const backend = defineBackend({
    name: `onnx/${device.name}`,
    timing: "async",
    supports: device.limits,
    tensors: ortTensors(ort, device),
    store: tensorStore(ort, sessions),
    ...ortArithmetic(ort, device),
  });
  return { ...backend, releaseIdleSessions: () => sessions.releaseIdle() };
}
