import type { HostTensor, Layer, StateInput } from "@batchnorm/spec";
import type { AnyBackend } from "../checks/check.ts";
import type { Mutant } from "./mutant.ts";
import { referenceBackend } from "./reference.ts";

type SyncLayer = Layer<HostTensor, "sync", "sync">;

/** Faults around the arithmetic: what is accepted, who owns what, and when things happen. */
export const CONTRACT_MUTANTS: readonly Mutant[] = [
  wrapping("state-not-copied-out", "hands out the arrays that it works on", ["1.4"], (layer) => {
    const shared = layer.state();
    return override(layer, { state: () => shared });
  }),
  creating("state-not-copied-in", "works on the caller's arrays", ["1.4"], (create) => (config, state) => {
    const layer = create(config, state);
    return override(layer, {
      state: () => ({ parameters: state.parameters as never, statistics: state.statistics as never }),
    });
  }),
  creating("wrong-length-cycles", "takes parameters of the wrong length and cycles through them (tfjs 4.22 cpu and wasm)", ["1.2"], (create) => (config, state) => {
    const channels = state.statistics.movingMean.length;
    const cycled = (values?: ArrayLike<number> | null): number[] | null => (values ? Array.from({ length: channels }, (_, c) => values[c % values.length]) : null);
    const { gamma, beta } = state.parameters;
    return create(config, { parameters: { gamma: cycled(gamma), beta: cycled(beta) }, statistics: state.statistics });
  }),
  creating("negative-variance-taken", "takes a negative variance for its size", ["1.2"], (create) => (config, state) => {
    const { movingMean, movingVariance } = state.statistics;
    return create(config, { ...state, statistics: { movingMean, movingVariance: Array.from(movingVariance, Math.abs) } });
  }),
  creating("epsilon-unchecked", "takes any epsilon", ["2.3"], (create) => (config, state) =>
    create({ ...config, epsilon: Math.max(config.epsilon ?? 1e-3, 1e-30) || 1e-3 }, state),
  ),
  creating("momentum-unchecked", "clamps momentum instead of refusing it", ["2.2"], (create) => (config, state) =>
    create({ ...config, momentum: Math.min(Math.max(config.momentum ?? 0.99, 0), 1) || 0 }, state),
  ),
  creating("parameter-of-nothing", "ignores a gamma that is given with scale off", ["8.3"], (create) => (config, state) => {
    const { gamma, beta } = state.parameters;
    return create(config, { ...state, parameters: { gamma: config.scale === false ? null : (gamma ?? null), beta: config.center === false ? null : (beta ?? null) } });
  }),
  wrapping("rank-1-taken", "reads a vector as one row (onnxruntime-web 1.30: as one channel)", ["3.3"], (layer) =>
    override(layer, {
      call: (x, options) => layer.call(x.shape.length === 1 ? { data: x.data, shape: [1, ...x.shape] } : x, options),
    }),
  ),
  wrapping("empty-batch-taken", "trains on nothing without a word (Keras: NaN statistics)", ["6.5"], (layer) =>
    override(layer, { call: (x, options) => (x.data.length === 0 ? x : layer.call(x, options)) }),
  ),
  wrapping("empty-inference-refused", "cannot normalize an empty batch", ["5.5"], (layer) =>
    override(layer, {
      call: (x, options) => {
        if (x.data.length === 0 && !options?.training) throw new Error("Cannot normalize nothing.");
        return layer.call(x, options);
      },
    }),
  ),
  wrapping("mask-unchecked", "drops a mask that does not fit", ["9.3"], (layer) =>
    override(layer, {
      call: (x, options) => {
        const fits = options?.mask?.data instanceof Uint8Array && options.mask.data.length * layer.channels === x.data.length;
        return layer.call(x, fits ? options : { ...options, mask: null });
      },
    }),
  ),
  wrapping("out-ignored", "returns a fresh tensor whatever out says", ["17.4"], (layer) =>
    override(layer, { call: (x, options) => layer.call(x, { ...options, out: null }) }),
  ),
  wrapping("x-overwritten", "normalizes in place", ["17.3"], (layer) =>
    override(layer, {
      call: (x, options) => {
        const y = layer.call(x, { ...options, gradient: false, out: null });
        (x.data as Float32Array).set(y.data as Float32Array);
        return layer.call(x, options);
      },
    }),
  ),
  wrapping("disposed-lives", "works after dispose", ["17.2"], (layer) => override(layer, { dispose: () => undefined })),
  wrapping("freeze-at-creation-only", "decides at creation whether it is frozen (tfjs: at compile)", ["4.3"], (layer) =>
    override(layer, { freeze: () => undefined, unfreeze: () => undefined }),
  ),
  wrapping("backward-from-anywhere", "gives zeros where there was no forward pass", ["10.7"], (layer) =>
    override(layer, {
      backward: (dy, options) => {
        try {
          return layer.backward(dy, options);
        } catch {
          return { dx: { data: new Float32Array(dy.data.length), shape: dy.shape }, dgamma: null, dbeta: null };
        }
      },
    }),
  ),
  {
    name: "calls-race",
    fault: "runs calls that overlap in any order",
    clauses: ["17.1"],
    create: () => {
      const backend = referenceBackend("mutant/calls-race");
      let delay = 3;
      const create = (config: object, state: StateInput): Layer<HostTensor, "async", "sync"> => {
        const layer = backend.create(config, state);
        const call = async (x: HostTensor, options?: object): Promise<HostTensor> => {
          // Every call waits for less than the one before it.
          for (let tick = delay--; tick > 0; tick--) await Promise.resolve();
          if (delay < 0) delay = 3;
          return layer.call(x, options);
        };
        return override(layer as never, { call } as never) as never;
      };
      return { ...backend, create } as AnyBackend;
    },
  },
  {
    name: "manifest-without-float32",
    fault: "does not declare float32",
    clauses: ["18.2"],
    create: () => {
      const backend = referenceBackend("mutant/manifest-without-float32");
      return { ...backend, supports: { ...backend.supports, dtypes: [] } };
    },
  },
];

/** A mutant whose every layer is changed after it was made. */
function wrapping(name: string, fault: string, clauses: readonly string[], change: (layer: SyncLayer) => SyncLayer): Mutant {
  return creating(name, fault, clauses, (create) => (config, state) => change(create(config, state)));
}

type Create = ReturnType<typeof referenceBackend>["create"];

function creating(name: string, fault: string, clauses: readonly string[], change: (create: Create) => Create): Mutant {
  return {
    name,
    fault,
    clauses,
    create: () => {
      const backend = referenceBackend(`mutant/${name}`);
      return { ...backend, create: change(backend.create) };
    },
  };
}

/** The layer with some of its methods replaced. */
function override(layer: SyncLayer, methods: Partial<SyncLayer>): SyncLayer {
  return new Proxy(layer, {
    get: (target, name) => {
      if (name in methods) return methods[name as keyof SyncLayer];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
