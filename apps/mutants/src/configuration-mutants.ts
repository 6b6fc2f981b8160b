import { override } from "@batchnorm/reference";
import type { BatchNormConfig, FloatTensor, StateInput } from "@batchnorm/spec";
import type { Mutant } from "./mutant.ts";
import { configuring, creating, declaring, stating, wrapping } from "./wrap.ts";

/** Faults in what a layer is made of and what it accepts. */
export const CONFIGURATION_MUTANTS: readonly Mutant[] = [
  configuring("defaults-of-onnx", "has ONNX's default epsilon and momentum", ["2.1"], (config) => ({
    epsilon: 1e-5,
    momentum: 0.9,
    ...config,
  })),
  configuring("axis-truncated", "takes the integer part of an axis", ["2.4"], (config) => ({
    ...config,
    axis: Math.trunc(config.axis ?? -1),
  })),
  configuring("unknown-option-ignored", "ignores options that it does not know", ["2.5"], known),
  configuring("made-unfrozen", "makes every layer trainable", ["4.1"], (config) => ({ ...config, trainable: true })),
  wrapping("trains-by-default", "takes a call without options for a training step", ["4.1"], (layer) =>
    override(layer, { call: (x, options) => layer.call(x, { training: true, ...options }) }),
  ),
  stating("state-flat-taken", "takes parameters and statistics in one object", ["1.1"], nested),
  wrapping("axis-padded", "appends dimensions of 1 until the axis exists", ["3.4"], (layer) =>
    override(layer, {
      call: (x, options) => {
        const missing = layer.config.axis < 0 ? -layer.config.axis - x.shape.length : layer.config.axis + 1 - x.shape.length;
        return layer.call(missing > 0 ? { data: x.data, shape: [...x.shape, ...new Array<number>(missing).fill(1)] } : x, options);
      },
    }),
  ),
  wrapping("dimensions-of-1-squeezed", "drops dimensions of 1 before it looks for the axis", ["6.6"], (layer) =>
    override(layer, {
      call: (x, options) => ({ ...layer.call({ data: x.data, shape: x.shape.filter((size) => size !== 1) }, options), shape: x.shape }),
    }),
  ),
  wrapping("channels-cycle", "cycles through the parameters where x has another number of channels", ["3.5"], (layer) =>
    override(layer, {
      call: (x, options) => {
        const fits = x.shape.at(layer.config.axis) === layer.channels || x.data.length % layer.channels !== 0;
        return layer.call(fits ? x : { data: x.data, shape: [x.data.length / layer.channels, layer.channels] }, options);
      },
    }),
  ),
  wrapping("first-shape-only", "is compiled for the first shape that it sees", ["3.2"], (layer) => {
    let first: readonly number[] | null = null;
    return override(layer, {
      call: (x, options) => {
        first ??= x.shape;
        if (x.shape.join() !== first.join()) throw new Error(`The graph was compiled for [${first}], not for [${x.shape}].`);
        return layer.call(x, options);
      },
    });
  }),
  wrapping("mask-unchecked-in-inference", "looks at a mask in training only", ["9.5"], (layer) =>
    override(layer, {
      call: (x, options) => layer.call(x, options?.training && layer.config.trainable ? options : { ...options, mask: null }),
    }),
  ),
  wrapping("bool-taken", "takes bool x for numbers", ["13.2"], (layer) =>
    override(layer, { call: (x, options) => layer.call({ data: Float32Array.from(x.data), shape: x.shape }, options) }),
  ),
  creating("says-invalid", "says only that something is invalid", ["14.2"], (create) => (config, state) => {
    try {
      return create(config, state);
    } catch (error) {
      throw Object.assign(new Error("An argument of the layer is invalid."), { code: (error as { code?: string }).code });
    }
  }),
  declaring("manifest-without-float32", "does not declare float32", ["18.2"], (backend) => ({
    ...backend,
    supports: { ...backend.supports, dtypes: [] },
  })),
  declaring("mask-dropped", "declares that it takes no mask, and takes one without a word", ["18.2"], (backend) => ({
    ...backend,
    supports: { ...backend.supports, masks: false },
  })),
  declaring("version-2", "is written for another version of the contract", ["18.1"], (backend) =>
    Object.assign({}, backend, { specVersion: 2 }),
  ),
  declaring("float64-comes-out", "gives out float64", ["13.1"], (backend) => ({
    ...backend,
    download: ({ data, shape }: FloatTensor) => ({ data: Float64Array.from(data), shape }),
  })),
  stating(
    "wrong-length-cycles",
    "takes parameters of the wrong length and cycles through them (tfjs 4.22 cpu and wasm)",
    ["1.2"],
    ({ parameters, statistics }) => {
      const cycled = (values?: ArrayLike<number> | null): number[] | null =>
        values ? Array.from(statistics.movingMean, (_, c) => values[c % values.length]) : null;
      return { parameters: { gamma: cycled(parameters.gamma), beta: cycled(parameters.beta) }, statistics };
    },
  ),
  stating("negative-variance-taken", "takes a negative variance for its size", ["1.2"], ({ parameters, statistics }) => ({
    parameters,
    statistics: { ...statistics, movingVariance: Array.from(statistics.movingVariance, Math.abs) },
  })),
  configuring("epsilon-unchecked", "takes any epsilon", ["2.3"], (config) => ({
    ...config,
    epsilon: Math.max(config.epsilon ?? 1e-3, 1e-30) || 1e-3,
  })),
  configuring("momentum-unchecked", "clamps momentum instead of refusing it", ["2.2"], (config) => ({
    ...config,
    momentum: Math.min(Math.max(config.momentum ?? 0.99, 0), 1) || 0,
  })),
  stating("parameter-of-nothing", "ignores a gamma that is given with scale off", ["8.3"], (state, { scale, center }) => ({
    ...state,
    parameters: {
      gamma: scale === false ? null : (state.parameters.gamma ?? null),
      beta: center === false ? null : (state.parameters.beta ?? null),
    },
  })),
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
];

function known({
  axis,
  momentum,
  epsilon,
  center,
  scale,
  trainable,
  varianceEstimator,
  nonFinite,
}: Partial<BatchNormConfig>): Partial<BatchNormConfig> {
  const all = { axis, momentum, epsilon, center, scale, trainable, varianceEstimator, nonFinite };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function nested(state: StateInput): StateInput {
  if (!("gamma" in state)) return state;
  const flat: Record<string, unknown> = { ...state };
  const { gamma, beta, movingMean, movingVariance } = flat as StateInput["parameters"] & StateInput["statistics"];
  return { parameters: { gamma: gamma ?? null, beta: beta ?? null }, statistics: { movingMean, movingVariance } };
}
