import { describe } from "./checks.ts";
import { resolveConfig } from "./config.ts";
import {
  type Arithmetic,
  type Backend,
  type BatchNormConfig,
  type BatchNormState,
  type HostTensor,
  type ReadResult,
  SPEC_VERSION,
  type StateInput,
  type Store,
  type Supports,
  type TensorAccess,
  type Timing,
} from "./contract.ts";
import { BatchNormError, isBatchNormError } from "./errors.ts";
import { describeHostTensor, type FloatTensor, hostStore, hostTensors, type MaskTensor } from "./host.ts";
import { BatchNormLayer, type CompleteBackend } from "./layer.ts";
import { isRecord } from "./objects.ts";
import { initialState, resolveState } from "./state.ts";
import { checkDataLength, checkShape } from "./view.ts";

/** A backend on typed arrays, with its state on the host: the arithmetic is all there is to write. */
export interface HostDefinition<When extends Timing, Saved> extends Arithmetic<FloatTensor, When, BatchNormState, Saved, MaskTensor> {
  readonly tensors?: undefined;
  readonly store?: undefined;
}

/** A backend with tensors of its own and, where it brings one, a store of its own. */
export interface Definition<Tensor, When extends Timing, State, Saved, Mask> extends Arithmetic<Tensor, When, State, Saved, Mask> {
  readonly tensors: TensorAccess<Tensor, When, Mask>;
  /** Left out, the state is kept as typed arrays on the host. */
  readonly store?: Store<State, When>;
}

/**
 * Makes a backend of a runtime's arithmetic. Its layers validate, decide the mode, keep order and lifetime, and hold the
 * state; `Arithmetic` says what is left to write. What a definition leaves out is absent from the manifest by that fact.
 *
 * @throws BatchNormError `invalid-argument` for a definition without a name or `infer`.
 */
export function defineBackend<Saved = undefined, When extends Timing = "async">(
  definition: HostDefinition<When, Saved>,
): Backend<FloatTensor, When, MaskTensor>;
export function defineBackend<Tensor, State = BatchNormState, Saved = undefined, When extends Timing = "async", Mask = Tensor>(
  definition: Definition<Tensor, When, State, Saved, Mask>,
): Backend<Tensor, When, Mask>;
export function defineBackend<Tensor, State, Saved, When extends Timing, Mask>(
  definition: Arithmetic<Tensor, When, State, Saved, Mask> & {
    readonly tensors?: TensorAccess<Tensor, When, Mask> | undefined;
    readonly store?: Store<State, When> | undefined;
  },
): Backend<Tensor, When, Mask> {
  checkDefinition(definition);
  // By the overloads, the host's stand in only where Tensor, Mask and State are the host's.
  const tensors = definition.tensors ?? (hostTensors as unknown as TensorAccess<Tensor, When, Mask>);
  const store = definition.store ?? (hostStore as unknown as Store<State, When>);
  const supports = manifestOf(definition, tensors);
  const { name, timing = "async" } = definition;
  const backend: CompleteBackend<Tensor, When, State, Saved, Mask> = { name, timing, supports, arithmetic: definition, tensors, store };
  return {
    specVersion: SPEC_VERSION,
    name,
    supports,
    create: (config, state) => createLayer(backend, config, state),
    upload(tensor: HostTensor) {
      checkHostTensor(name, supports, tensor);
      return fromRuntime(name, "upload", () => tensors.upload(tensor)) as Tensor & Mask;
    },
    download(tensor) {
      const read = (): unknown => {
        describe({ tensors }, "The tensor to download", tensor);
        return fromRuntime(name, "download", () => tensors.download(tensor));
      };
      return (timing === "sync" ? read() : (async () => read())()) as ReadResult<When, HostTensor>;
    },
    release(tensor) {
      if (typeof tensor !== "object" || tensor === null) {
        throw new BatchNormError("invalid-argument", "There is no tensor to release", tensor, "a tensor of this backend");
      }
      fromRuntime(name, "release", () => tensors.release?.(tensor));
    },
  };
}

/**
 * The promise of a backend, for a `createBackend` that has to wait for its runtime. Where `await` is forgotten it says so: to
 * use the promise as a backend is refused with `invalid-argument`.
 */
export function promiseBackend<Made extends object>(promise: Promise<Made>): Promise<Made> {
  for (const name of ["create", "upload", "download", "release"]) {
    const value = (): never => {
      throw new BatchNormError("invalid-argument", `${name} was called on the promise of a backend`, promise, "await createBackend(...)");
    };
    Object.defineProperty(promise, name, { value });
  }
  return promise;
}

/** What a backend can do: what its definition says, and what follows from the functions that it has. */
function manifestOf<Tensor, When extends Timing, State, Saved, Mask>(
  { supports = {}, train, backward }: Arithmetic<Tensor, When, State, Saved, Mask>,
  { overlap, findNonFinite }: TensorAccess<Tensor, When, Mask>,
): Supports {
  const training = train !== undefined;
  return Object.freeze<Supports>({
    maxRank: supports.maxRank ?? null,
    axes: supports.axes ?? "any",
    dtypes: supports.dtypes ?? ["float32"],
    training,
    minElements: supports.minElements ?? 1,
    gradients: backward !== undefined,
    masks: training && (supports.masks ?? false),
    out: overlap !== undefined && (supports.out ?? false),
    varianceEstimators: supports.varianceEstimators ?? ["population"],
    nonFinite: findNonFinite === undefined ? ["propagate"] : ["propagate", "reject"],
    accumulation: supports.accumulation ?? "float32",
    subnormals: supports.subnormals ?? "preserved",
  });
}

function createLayer<Tensor, When extends Timing, State, Saved, Mask>(
  backend: CompleteBackend<Tensor, When, State, Saved, Mask>,
  config: Partial<BatchNormConfig> | undefined,
  state: StateInput | number | undefined,
): BatchNormLayer<Tensor, When, State, Saved, Mask> {
  const { supports } = backend;
  const resolved = resolveConfig(config);
  for (const [name, value, allowed] of [
    ["varianceEstimator", resolved.varianceEstimator, supports.varianceEstimators],
    ["nonFinite", resolved.nonFinite, supports.nonFinite],
  ] as const) {
    if (!(allowed as readonly string[]).includes(value)) {
      throw new BatchNormError("unsupported", `This backend does not take such a ${name}`, value, allowed.join(" or "));
    }
  }
  const initial = state === undefined ? null : typeof state === "number" ? initialState(resolved, state) : resolveState(resolved, state);
  return new BatchNormLayer(backend, resolved, initial);
}

function checkDefinition(definition: unknown): void {
  const wanted = "an object with a name and an infer function";
  if (!isRecord(definition)) throw new BatchNormError("invalid-argument", "The backend's definition is not an object", definition, wanted);
  if (typeof definition.name !== "string" || definition.name === "") {
    throw new BatchNormError("invalid-argument", "The backend has no name", definition.name, wanted);
  }
  for (const name of ["infer", "train", "backward"]) {
    const value = definition[name];
    if (typeof value === "function" || (value === undefined && name !== "infer")) continue;
    throw new BatchNormError("invalid-argument", `The backend's ${name} is not a function`, value, wanted);
  }
}

/** @throws BatchNormError `invalid-argument`, `unknown-dtype`, `invalid-shape`, `data-length`. */
function checkHostTensor(name: string, { dtypes }: Supports, tensor: HostTensor): void {
  const info = describeHostTensor(tensor);
  const half = info.dtype === "float16" || info.dtype === "bfloat16";
  if (half && !(dtypes as readonly string[]).includes(info.dtype)) {
    throw new BatchNormError("unknown-dtype", `${name} has no ${info.dtype}`, info.dtype, "the same numbers in a Float32Array");
  }
  if (!half && info.dtype !== "float32" && info.dtype !== "float64" && info.dtype !== "bool") {
    const wanted = ["float32", "float64", ...dtypes.filter((dtype) => dtype !== "float32" && dtype !== "float64"), "bool"];
    throw new BatchNormError("unknown-dtype", "The dtype of the tensor to upload is not taken", info.dtype, wanted.join(" or "));
  }
  checkShape(info.shape);
  checkDataLength("the tensor to upload", info, info.shape);
}

/** An error of the runtime itself becomes one of the contract (clause 14.3). */
function fromRuntime<Value>(backend: string, action: string, work: () => Value): Value {
  const explain = (cause: unknown): never => {
    if (isBatchNormError(cause)) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new BatchNormError("runtime-failure", `${backend} failed in ${action}`, message, "a run without an error", cause);
  };
  try {
    const value = work();
    return value instanceof Promise ? (value.catch(explain) as Value) : value;
  } catch (error) {
    return explain(error);
  }
}
