import {
  type Backend,
  type BatchNormState,
  copyState,
  defineBackend,
  type FloatTensor,
  hostTensors,
  type Layer,
  type Limits,
  type MaskTensor,
  type Store,
  type TensorAccess,
  type Timing,
} from "@batchnorm/spec";
import type { Formulas } from "./formulas.ts";
import { inHalf } from "./half.ts";
import { type HostPass, type ReferenceArithmetic, referenceArithmetic } from "./reference-arithmetic.ts";

/** A backend over typed arrays, and a layer of one. */
export type HostBackend<When extends Timing> = Backend<FloatTensor, When, MaskTensor>;
export type HostLayer<When extends Timing> = Layer<FloatTensor, When, MaskTensor>;
type HostTensorAccess = TensorAccess<FloatTensor, "sync", MaskTensor>;

export const SUPPORTS: Limits = {
  dtypes: ["float32", "float16", "bfloat16"],
  masks: true,
  out: true,
  varianceEstimators: ["population", "sample"],
  accumulation: "float64",
};

/**
 * A plain backend that answers at once. With the correct formulas it passes the whole suite, and so what a mutant fails is its
 * fault.
 */
export function referenceBackend(name: string, faults: Partial<Formulas> = {}): HostBackend<"sync"> {
  return backendOf(name, inHalf(referenceArithmetic(faults)));
}

/** A backend of this arithmetic, which has been taught half precision, that answers at once, and has everything. */
export function backendOf(
  name: string,
  arithmetic: ReferenceArithmetic,
  accumulation: "float32" | "float64" = "float64",
): HostBackend<"sync"> {
  return defineBackend({ name, timing: "sync", supports: { ...SUPPORTS, accumulation }, ...arithmetic });
}

/** The same on tensors that are described, searched or copied in another way. */
export function referenceOnTensors(name: string, changes: Partial<HostTensorAccess>): HostBackend<"sync"> {
  const tensors: HostTensorAccess = { ...hostTensors, ...changes };
  return defineBackend({ name, timing: "sync", supports: SUPPORTS, tensors, ...inHalf(referenceArithmetic({})) });
}

/** The least that a backend may be: it infers, on no more than `maxRank` axes. */
export function leastBackend(name: string, maxRank: number): HostBackend<"sync"> {
  const { describe, upload, download } = hostTensors;
  const { infer } = referenceArithmetic({});
  return defineBackend({
    name,
    timing: "sync",
    supports: { maxRank, accumulation: "float64" },
    tensors: { describe, upload, download },
    infer,
  });
}

/**
 * The plain backend with promises. `change` gets every layer, and a function that gives the very state that the layer works on,
 * past its order of calls.
 */
export function asynchronousBackend(
  name: string,
  change: (layer: HostLayer<"async">, live: () => BatchNormState) => HostLayer<"async"> = (layer) => layer,
): HostBackend<"async"> {
  // A backend for every layer: so each has a store of its own, which knows where the state lies.
  const create: HostBackend<"async">["create"] = (config, state) => {
    let live: BatchNormState | undefined;
    const layer = withPromises(name, {
      create: (created) => {
        live = created;
        return created;
      },
      read: copyState,
      write: writeState,
    }).create(config, state);
    return change(layer, () => live!);
  };
  return { ...withPromises(name), create };
}

function withPromises(name: string, store?: Store<BatchNormState, "async">): HostBackend<"async"> {
  const { infer, train, backward } = inHalf(referenceArithmetic({}));
  const tensors: TensorAccess<FloatTensor, "async", MaskTensor> = hostTensors;
  return defineBackend({
    name,
    supports: SUPPORTS,
    tensors,
    ...(store && { store }),
    infer: async (pass: HostPass) => infer(pass),
    train: async (pass: HostPass) => train(pass),
    backward: async (pass: Parameters<typeof backward>[0]) => backward(pass),
  });
}

/** Copies the given arrays into a state. */
export function writeState(to: BatchNormState, { parameters, statistics }: Parameters<Store<BatchNormState>["write"]>[1]): void {
  for (const [array, values] of [
    [to.parameters.gamma, parameters.gamma],
    [to.parameters.beta, parameters.beta],
    [to.statistics.movingMean, statistics.movingMean],
    [to.statistics.movingVariance, statistics.movingVariance],
  ] as const) {
    if (values !== undefined) array?.set(values);
  }
}

/** A layer that passes everything on to `layer` but what `changes` has. */
export function override<When extends "sync" | "async">(layer: HostLayer<When>, changes: Partial<HostLayer<When>>): HostLayer<When> {
  const all: HostLayer<When> = {
    get config() {
      return layer.config;
    },
    get channels() {
      return layer.channels;
    },
    get trainable() {
      return layer.trainable;
    },
    set trainable(value) {
      layer.trainable = value;
    },
    call: (x, options) => layer.call(x, options),
    backward: (dy, options) => layer.backward(dy, options),
    freeze: () => layer.freeze(),
    unfreeze: () => layer.unfreeze(),
    state: () => layer.state(),
    setState: (update) => layer.setState(update),
    dispose: () => layer.dispose(),
  };
  return Object.defineProperties(all, Object.getOwnPropertyDescriptors(changes));
}
