import { populationMoments, visibleValues } from "./arithmetic.ts";
import type { Arithmetic } from "./arithmetic.ts";
import type { Mutant } from "./mutant.ts";
import { referenceBackend } from "./reference.ts";

/** One wrong step each, in the arithmetic of an otherwise correct layer. */
export const ARITHMETIC_MUTANTS: readonly Mutant[] = [
  mutant("epsilon-on-the-deviation", "adds epsilon to the standard deviation", ["5.2"], {
    inverseDeviation: (variance, epsilon) => 1 / (Math.sqrt(variance) + epsilon),
  }),
  mutant("epsilon-outside-the-root", "adds epsilon after the inverse root", ["5.2"], {
    inverseDeviation: (variance, epsilon) => 1 / Math.sqrt(variance) + epsilon,
  }),
  mutant("epsilon-ignored", "leaves epsilon out", ["5.2"], { inverseDeviation: (variance) => 1 / Math.sqrt(variance) }),
  mutant("epsilon-fixed", "uses ONNX's default epsilon whatever the config says", ["5.2"], {
    inverseDeviation: (variance) => 1 / Math.sqrt(variance + 1e-5),
  }),
  mutant("variance-is-a-deviation", "takes movingVariance for a standard deviation", ["5.1"], {
    inverseDeviation: (variance, epsilon) => 1 / (variance + epsilon),
  }),
  mutant("beta-inside", "adds beta before gamma multiplies", ["5.1"], {
    output: (x, mean, inverse, gamma, beta) => gamma * ((x - mean) * inverse + beta),
  }),
  mutant("half-precision-output", "rounds the output to a 10-bit fraction", ["5.1", "12.2"], {
    output: (x, mean, inverse, gamma, beta) => halfPrecision(gamma * (x - mean) * inverse + beta),
  }),
  mutant("stale-gamma", "folds gamma at the first call and keeps it (caches of folded scales)", ["5.4"], { gamma: staleGamma() }),
  mutant("statistics-move-in-inference", "updates the statistics at inference", ["5.3"], { movesInInference: (trainable) => trainable }),
  mutant("frozen-moves", "updates the statistics of a frozen layer (PyTorch with requires_grad=False)", ["4.2"], { movesInInference: (trainable) => !trainable }),
  mutant("frozen-not-frozen", "normalizes a frozen layer with the batch (tfjs 4.22 layers)", ["4.2"], { frozenUsesBatch: true }),
  mutant("trains-with-moving", "normalizes a training step with the moving statistics", ["6.1"], { trainsWithMoving: true }),
  mutant("axis-ignored", "takes the last axis for the channels (parameters cycle: tfjs 4.22 cpu and wasm on axis 1)", ["3.1"], {
    channelOf: (k, { channels }) => k % channels,
  }),
  mutant("negative-axis-from-the-front", "takes axis -1 for the first axis", ["3.1"], {
    channelOf: (k, { outer, channels, inner }, axis) => (axis < 0 ? Math.floor(k / ((outer * inner * channels) / channels)) : Math.floor(k / inner) % channels),
  }),
  mutant("sample-variance-in-output", "normalizes with n - 1", ["6.1"], {
    moments: (channel) => {
      const values = visibleValues(channel);
      const { mean, variance } = populationMoments(values);
      return { mean, variance: values.length > 1 ? (variance * values.length) / (values.length - 1) : variance };
    },
  }),
  mutant("sample-variance-moves", "puts the sample variance into the moving variance unasked (tf-keras fused, PyTorch)", ["7.1", "7.3"], {
    entering: (variance, n) => (n > 1 ? (variance * n) / (n - 1) : variance),
  }),
  mutant("population-variance-moves", "ignores varianceEstimator 'sample'", ["7.3"], { entering: (variance) => variance }),
  mutant("sample-of-one-divides-by-zero", "divides by n - 1 = 0", ["7.4"], {
    entering: (variance, n, estimator) => (estimator === "sample" ? (variance * n) / (n - 1) : variance),
  }),
  mutant("momentum-flipped", "gives momentum to the new value (PyTorch's convention)", ["7.1"], {
    move: (old, fresh, momentum) => old * (1 - momentum) + fresh * momentum,
  }),
  mutant("momentum-zero-is-default", "takes momentum 0 for absent", ["7.2"], {
    move: (old, fresh, momentum) => old * (momentum || 0.99) + fresh * (1 - (momentum || 0.99)),
  }),
  mutant("momentum-never-one", "clamps momentum below 1", ["7.2"], {
    move: (old, fresh, momentum) => old * Math.min(momentum, 0.999) + fresh * (1 - Math.min(momentum, 0.999)),
  }),
  mutant("mean-of-one-row", "takes the statistics over the first axis only", ["6.2"], {
    moments: (channel) => populationMoments(visibleValues(channel).slice(0, Math.max(1, channel.values.length >> 1))),
  }),
  mutant("square-of-mean", "computes E[x^2] - E[x]^2 in float32 (Keras on PyTorch and NumPy)", ["12.6"], {
    moments: (channel) => {
      const values = visibleValues(channel);
      const mean = Math.fround(values.reduce((total, value) => Math.fround(total + value), 0) / values.length);
      const squares = values.reduce((total, value) => Math.fround(total + Math.fround(value * value)), 0) / values.length;
      return { mean, variance: Math.fround(Math.fround(squares) - Math.fround(mean * mean)) };
    },
  }),
  mutant("square-of-mean-clamped", "computes E[x^2] - E[x]^2 in float64 and clamps at 0", ["12.6"], {
    moments: (channel) => {
      const values = visibleValues(channel);
      const mean = values.reduce((total, value) => total + value, 0) / values.length;
      return { mean, variance: Math.max(0, values.reduce((total, value) => total + value * value, 0) / values.length - mean * mean) };
    },
  }),
  mutant("float32-sums", "declares float64 accumulation and sums in float32", ["12.6"], {
    moments: (channel) => {
      const values = visibleValues(channel);
      const mean = Math.fround(values.reduce((total, value) => Math.fround(total + value), 0) / values.length);
      return { mean, variance: values.reduce((total, value) => Math.fround(total + (value - mean) ** 2), 0) / values.length };
    },
  }),
  mutant("one-element-is-nan", "divides the variance of one element by 0", ["6.4"], {
    moments: (channel) => {
      const { mean, variance } = populationMoments(visibleValues(channel));
      return { mean, variance: visibleValues(channel).length === 1 ? Number.NaN : variance };
    },
  }),
  mutant("mask-ignored", "takes the statistics over hidden elements too (tfjs 4.22)", ["9.1"], { sees: () => true }),
  mutant("mask-inverted", "hides what the mask shows", ["9.1"], { sees: (mask) => mask === 0 }),
  mutant("mask-on-output", "leaves hidden elements as they are", ["9.2"], {
    output: (x, mean, inverse, gamma, beta, visible) => (visible ? gamma * (x - mean) * inverse + beta : x),
  }),
  mutant("all-hidden-decays", "lets an all-hidden mask pull the statistics to 0 (Keras 3.15)", ["9.4"], {
    onAllHidden: ({ movingMean, movingVariance }, momentum) => {
      for (const statistic of [movingMean, movingVariance]) statistic.forEach((value, c) => (statistic[c] = value * momentum));
    },
  }),
  mutant("hidden-by-multiplication", "multiplies hidden elements by 0: a hidden NaN stays NaN", ["9.6"], {
    moments: ({ values, visible }) => {
      const n = visible.filter(Boolean).length;
      const mean = values.reduce((total, value, j) => total + value * Number(visible[j]), 0) / n;
      return { mean, variance: values.reduce((total, value, j) => total + (value - mean) ** 2 * Number(visible[j]), 0) / n };
    },
  }),
  mutant("gradient-past-statistics", "takes the batch statistics for constants in the gradient", ["10.1"], { through: () => 0 }),
  mutant("gradient-through-mean-only", "leaves the variance out of the gradient", ["10.1"], {
    through: ({ dbeta }, _xHat, n, visible) => (n === null || !visible ? 0 : dbeta / n),
  }),
  mutant("inference-gradient-through-statistics", "takes the moving statistics for the batch's in the gradient", ["10.2"], {
    through: ({ dgamma, dbeta }, xHat, _n, _visible, all) => (dbeta + xHat * dgamma) / all,
  }),
  mutant("dgamma-of-x", "multiplies dy with x, not with the normalized x", ["10.3"], {
    sums: (dy, x) => ({ dgamma: dy.reduce((total, each, j) => total + each * x[j], 0), dbeta: dy.reduce((total, each) => total + each, 0) }),
  }),
  mutant("frozen-learns", "gives a frozen layer gradients for gamma and beta", ["10.4"], { learns: () => true }),
  mutant("gradient-through-hidden", "lets hidden elements take part in the statistics' gradient", ["10.5"], {
    through: ({ dgamma, dbeta }, xHat, n) => (n === null ? 0 : (dbeta + xHat * dgamma) / n),
  }),
  mutant("gradient-n-of-all", "divides by the number of all elements, hidden ones included", ["10.5"], {
    through: ({ dgamma, dbeta }, xHat, n, visible, all) => (n === null || !visible ? 0 : (dbeta + xHat * dgamma) / all),
  }),
  mutant("gradient-of-absent-parameter", "gives a gradient for a gamma that is off", ["10.6"], { has: () => true }),
  mutant("nan-leaks", "lets a NaN in one channel into all of them", ["11.1"], {
    moments: (channel, _c, all) => {
      const poisoned = all.some((each) => visibleValues(each).some(Number.isNaN));
      return poisoned ? { mean: Number.NaN, variance: Number.NaN } : populationMoments(visibleValues(channel));
    },
  }),
  mutant("nan-swept", "drops what is not finite from the statistics", ["11.1"], {
    moments: (channel) => populationMoments(visibleValues(channel).filter(Number.isFinite)),
  }),
  mutant("constant-channel-floored", "puts a floor under the variance", ["11.3"], {
    moments: (channel) => {
      const { mean, variance } = populationMoments(visibleValues(channel));
      return { mean, variance: Math.max(variance, 1e-6) };
    },
  }),
  mutant("subnormals-flushed", "flushes subnormals to zero and declares that it does not", ["11.4"], {
    output: (x, mean, inverse, gamma, beta) => flush(flush(gamma) * (flush(x) - flush(mean)) * inverse + flush(beta)),
  }),
  mutant("state-torn", "updates the statistics before it finds that x has to be rejected", ["11.2"], { movesBeforeChecking: true }),
];

function mutant(name: string, fault: string, clauses: readonly string[], faults: Partial<Arithmetic>): Mutant {
  return { name, fault, clauses, create: () => referenceBackend(`mutant/${name}`, faults) };
}

function halfPrecision(value: number): number {
  const scale = 2 ** (Math.floor(Math.log2(Math.abs(value) || 1)) - 10);
  return Math.round(value / scale) * scale;
}

function flush(value: number): number {
  return Math.abs(value) < 2 ** -126 ? 0 : value;
}

function staleGamma(): Arithmetic["gamma"] {
  const first = new WeakMap<object, Float32Array>();
  return (current, layer) => {
    if (!first.has(layer)) first.set(layer, current.slice());
    return first.get(layer)!;
  };
}
