import {
  type Backend,
  type BatchNormConfig,
  BatchNormError,
  defineBackend,
  type Layer,
  type Limits,
  type Pass,
  promiseBackend,
  rejectUnknownOptions,
  type StateInput,
  type Store,
} from "@batchnorm/spec";
import { type Operands, present } from "./kernels/arithmetic.ts";
import { hostMemory } from "./kernels/host/memory.ts";
import { type Forward, gradients, infer, type Statistics, train } from "./operation.ts";
import { tensorAccess } from "./tensors.ts";
import { onBackend, type Tensor, type Tf, type Variable } from "./tf.ts";

/** The options of `createBackend`. */
export interface TfjsOptions {
  /**
   * The namespace of tfjs: of `@tensorflow/tfjs-core`, `@tensorflow/tfjs`, `@tensorflow/tfjs-node`, or the script tag's global.
   * Default: `@tensorflow/tfjs-core`, loaded here.
   */
  readonly tf?: Tf;
  /**
   * A tfjs backend to run on whichever is active, such as 'wasm'. Without it, layers run on the backend that is active when they
   * are called.
   */
  readonly backend?: string | null;
}

/**
 * A layer of the contract on tfjs: calls are synchronous, and `state` gives a promise.
 *
 * Inside `tf.grad`, `tf.variableGrads` or `optimizer.minimize` the output of `call` has its gradient on the tape, for x and for
 * `gamma` and `beta`; `gradient: false` then saves the copy of the operands that `backward` would need.
 */
export interface TfjsLayer extends Layer<Tensor, "async-reads"> {
  /** A trainable variable, `[channels]`; null where scale is off. Absent until a layer without a state has had its first call. */
  readonly gamma: Variable | null;
  /** A trainable variable, `[channels]`; null where center is off. */
  readonly beta: Variable | null;
}

/** The contract on TensorFlow.js: calls are synchronous, whatever is read back comes as a promise. */
export interface TfjsBackend extends Backend<Tensor, "async-reads"> {
  create(config?: Partial<BatchNormConfig>, state?: StateInput | number): TfjsLayer;
}

/**
 * Makes the tfjs backend, once tfjs is ready. Its name and manifest are those of the tfjs backend that is active then, or of
 * `backend`, which is initialized where it was not; the active one stays active.
 *
 * @throws BatchNormError `invalid-argument` for an unknown option, and for a tfjs backend that is not there; `runtime-failure`
 * where tfjs cannot be loaded.
 */
export function createBackend(options: TfjsOptions = {}): Promise<TfjsBackend> {
  return promiseBackend(makeBackend(options));
}

async function makeBackend(options: TfjsOptions): Promise<TfjsBackend> {
  rejectUnknownOptions("The options of createBackend", options as unknown, ["tf", "backend"]);
  const { tf = await importCore(), backend = null } = options;
  try {
    await tf.ready();
  } catch (cause) {
    throw new BatchNormError(
      "invalid-argument",
      "tfjs has no backend",
      String(cause),
      "an import such as @tensorflow/tfjs-backend-cpu",
      cause,
    );
  }
  if (backend !== null && tf.getBackend() !== backend) await initialize(tf, backend);
  return backendOn(tf, backend);
}

async function importCore(): Promise<Tf> {
  try {
    return await import("@tensorflow/tfjs-core");
  } catch (cause) {
    throw new BatchNormError("runtime-failure", "tfjs could not be loaded", String(cause), "@tensorflow/tfjs-core to be installed", cause);
  }
}

/** tfjs initializes a backend by making it the active one. */
async function initialize(tf: Tf, backend: string): Promise<void> {
  const active = tf.getBackend();
  try {
    await tf.setBackend(backend);
  } catch (cause) {
    throw new BatchNormError("invalid-argument", "tfjs has no such backend", backend, "one that is imported, such as 'cpu'", cause);
  } finally {
    if (active) await tf.setBackend(active);
  }
}

/** The backend on a tfjs that is ready; see `createBackend`. */
export function backendOn(tf: Tf, pinned: string | null): TfjsBackend {
  const name = pinned ?? tf.getBackend();
  const supports = limitsOf(readyBackend(tf, name));
  const run = <Value>(work: () => Value): Value => onBackend(tf, pinned, work);
  const tidy = <Value>(work: () => Value): Value => run(() => tf.tidy(work as () => never) as Value);
  const backend = defineBackend<Tensor, LayerVariables, Operands<Tensor>, "async-reads">({
    name: `tfjs/${name}`,
    timing: "async-reads",
    supports,
    tensors: tensorAccess(tf, pinned),
    store: variableStore(tf, pinned),
    infer: (pass) => run(() => infer(tf, forwardOf(pass))),
    train: (pass) =>
      tidy(() => {
        const { mask, state, config } = pass;
        const { momentum, varianceEstimator } = config;
        const update = (next: Statistics): void => {
          state.movingMean.assign(next.mean as never);
          state.movingVariance.assign(next.variance as never);
        };
        return train(tf, forwardOf(pass), { mask, momentum, varianceEstimator, update });
      }),
    backward: ({ dy, pass, saved }) =>
      tidy(() => {
        const { view, config, mode, state } = pass;
        const throughStatistics = mode.normalizeWith === "batch";
        const attributes = { view, epsilon: config.epsilon, ofParameters: mode.parameterGradients, throughStatistics };
        const [dx, dgamma = null, dbeta = null] = gradients(tf, dy, saved, attributes);
        return { dx, dgamma: state.gamma && dgamma, dbeta: state.beta && dbeta };
      }),
    releaseSaved: (saved) => tf.dispose(Object.values(present(saved))),
  });
  return { ...backend, create: (config, state) => backend.create(config, state) as TfjsLayer };
}

/** The state of one layer, on the device; nothing but `read` reads it back. */
interface LayerVariables {
  readonly gamma: Variable | null;
  readonly beta: Variable | null;
  readonly movingMean: Variable;
  readonly movingVariance: Variable;
}

function forwardOf({ x, view, mode, config, state, gradient }: Pass<Tensor, LayerVariables>): Forward {
  const { gamma, beta, movingMean, movingVariance } = state;
  const moving = { mean: movingMean, variance: movingVariance };
  return { x, view, epsilon: config.epsilon, gamma, beta, moving, ofParameters: mode.parameterGradients, keeps: gradient };
}

/** Parameters and statistics as tf.Variables, of which gamma and beta are trainable as long as the layer is. */
function variableStore(tf: Tf, backendName: string | null): Store<LayerVariables, "async-reads"> {
  const run = <Value>(work: () => Value): Value => onBackend(tf, backendName, work);
  return {
    create({ parameters: { gamma, beta }, statistics: { movingMean, movingVariance } }, { trainable }) {
      const variable = (values: Float32Array, trainable: boolean): Variable =>
        run(() => tf.tidy(() => tf.variable(tf.tensor(values), trainable)));
      return {
        gamma: gamma && variable(gamma, trainable),
        beta: beta && variable(beta, trainable),
        movingMean: variable(movingMean, false),
        movingVariance: variable(movingVariance, false),
      };
    },
    async read({ gamma, beta, movingMean, movingVariance }) {
      // Clones hold the values of this moment; a training step may come before they are read.
      const snapshot = (variable: Variable): Tensor => tf.keep(tf.clone(variable));
      const snapshots = run(() => ({
        gamma: gamma && snapshot(gamma),
        beta: beta && snapshot(beta),
        movingMean: snapshot(movingMean),
        movingVariance: snapshot(movingVariance),
      }));
      const values = async (tensor: Tensor): Promise<Float32Array> => ((await tensor.data()) as Float32Array).slice();
      try {
        return {
          parameters: {
            gamma: snapshots.gamma && (await values(snapshots.gamma)),
            beta: snapshots.beta && (await values(snapshots.beta)),
          },
          statistics: {
            movingMean: await values(snapshots.movingMean),
            movingVariance: await values(snapshots.movingVariance),
          },
        };
      } finally {
        tf.dispose(Object.values(snapshots).filter((tensor) => tensor !== null));
      }
    },
    write(state, { parameters, statistics }) {
      const updates = Object.entries({ ...parameters, ...statistics });
      run(() =>
        tf.tidy(() => {
          // All are made before the first is assigned: an error leaves the old state.
          const tensors = updates.map(([, values]) => tf.tensor(values));
          updates.forEach(([name], index) => {
            state[name as keyof LayerVariables]?.assign(tensors[index] as never);
          });
        }),
      );
    },
    setTrainable({ gamma, beta }, trainable) {
      for (const parameter of [gamma, beta]) if (parameter !== null) parameter.trainable = trainable;
    },
    dispose: (state) => tf.dispose(Object.values(state).filter((variable) => variable !== null)),
    expose: ({ gamma, beta }) => ({ gamma, beta }),
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

/**
 * In host memory the loops of backend-cpu run, in double precision; devices sum in float32 and may flush subnormal numbers.
 * There is no output buffer in tfjs, and to reject a NaN would need to read x back before every call.
 */
function limitsOf(instance: object): Limits {
  const onHost = hostMemory(instance) !== null;
  return {
    masks: true,
    varianceEstimators: ["population", "sample"],
    accumulation: onHost ? "float64" : "float32",
    subnormals: onHost ? "preserved" : "flushed",
  };
}
