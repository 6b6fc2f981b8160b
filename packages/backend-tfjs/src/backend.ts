import {
  type Backend,
  type BatchNormConfig,
  BatchNormError,
  type HostTensor,
  type LayerRuntime,
  resolveLayer,
  type StateInput,
  type Supports,
} from "@batchnorm/spec";
import { hostMemory } from "./kernels/host/memory.ts";
import { TfjsLayer } from "./layer.ts";
import { runner } from "./runtime.ts";
import { downloadTensor, tensorAccess, uploadTensor } from "./tensor.ts";
import type { Tensor, Tf } from "./tf.ts";

/** The options of `createBackend`. */
export interface TfjsOptions {
  /** The namespace of tfjs: of `@tensorflow/tfjs-core`, `@tensorflow/tfjs`, `@tensorflow/tfjs-node`, or the script tag's global. */
  readonly tf: Tf;
  /**
   * A tfjs backend to run on whichever is active, such as 'wasm'. It must have been initialized, as by `await tf.setBackend('wasm')`.
   * Without it, layers run on the backend that is active when they are called.
   */
  readonly backend?: string | null;
}

/** The contract on TensorFlow.js: calls are synchronous, whatever is read back comes as a promise. */
export interface TfjsBackend extends Backend<Tensor, "sync", "async"> {
  create(config: Partial<BatchNormConfig>, state: StateInput): TfjsLayer;
}

/**
 * Makes the tfjs backend. Its name and manifest are those of the tfjs backend that is active now, or of `backend`.
 *
 * @throws BatchNormError `invalid-argument` where the tfjs backend is not ready.
 */
export function createBackend({ tf, backend: pinned = null }: TfjsOptions): TfjsBackend {
  const name = pinned ?? tf.getBackend();
  const supports = manifest(readyBackend(tf, name));
  const run = runner(tf, pinned);
  const runtime: LayerRuntime<Tensor, "sync"> = { timing: "sync", readTiming: "async", supports, ...tensorAccess(tf) };
  return {
    specVersion: 1,
    name: `tfjs/${name}`,
    supports,
    create: (config, state) => new TfjsLayer(tf, run, runtime, resolveLayer(supports, config, state)),
    upload: (tensor: HostTensor) => run(() => uploadTensor(tf, tensor)),
    download: downloadTensor,
    release: (tensor) => tf.dispose(tensor),
  };
}

function readyBackend(tf: Tf, name: string): object {
  const instance = name ? tf.findBackend(name) : null;
  if (instance) return instance;
  throw new BatchNormError(
    "invalid-argument",
    "The tfjs backend is not ready",
    name,
    "one that was awaited: tf.ready() or tf.setBackend(name)",
  );
}

/** In host memory the loops of this package run, in double precision; devices sum in float32 and may flush subnormal numbers. */
function manifest(instance: object): Supports {
  const onHost = hostMemory(instance) !== null;
  return {
    maxRank: null,
    dtypes: ["float32"],
    training: true,
    gradients: true,
    masks: true,
    out: false,
    varianceEstimators: ["population", "sample"],
    // Rejecting would need to read x back before every call.
    nonFinite: ["propagate"],
    accumulation: onHost ? "float64" : "float32",
    subnormals: onHost ? "preserved" : "flushed",
  };
}
