import type { Formulas } from "@batchnorm/reference";
import type { Statistics } from "@batchnorm/spec";
import type { Mutant } from "./mutant.ts";
import { calculating } from "./wrap.ts";

/** One wrong step each in how x becomes y. */
export const NORMALIZATION_MUTANTS: readonly Mutant[] = [
  calculating("epsilon-on-the-deviation", "adds epsilon to the standard deviation", ["5.2"], {
    inverseDeviation: (variance, epsilon) => 1 / (Math.sqrt(variance) + epsilon),
  }),
  calculating("epsilon-outside-the-root", "adds epsilon after the inverse root", ["5.2"], {
    inverseDeviation: (variance, epsilon) => 1 / Math.sqrt(variance) + epsilon,
  }),
  calculating("epsilon-ignored", "leaves epsilon out", ["5.2"], { inverseDeviation: (variance) => 1 / Math.sqrt(variance) }),
  calculating("epsilon-fixed", "uses ONNX's default epsilon whatever the config says", ["5.2"], {
    inverseDeviation: (variance) => 1 / Math.sqrt(variance + 1e-5),
  }),
  calculating("epsilon-raised", "raises epsilon to at least 1e-5 (cuDNN, and with it tf-keras's fused kernel)", ["2.3"], {
    inverseDeviation: (variance, epsilon) => 1 / Math.sqrt(variance + Math.max(epsilon, 1e-5)),
  }),
  calculating("variance-is-a-deviation", "takes movingVariance for a standard deviation", ["5.1"], {
    inverseDeviation: (variance, epsilon) => 1 / (variance + epsilon),
  }),
  calculating("beta-inside", "adds beta before gamma multiplies", ["5.1"], {
    output: (x, mean, inverse, gamma, beta) => gamma * ((x - mean) * inverse + beta),
  }),
  calculating("half-precision-output", "rounds the output to a 10-bit fraction", ["5.1"], {
    output: (x, mean, inverse, gamma, beta) => halfPrecision(gamma * (x - mean) * inverse + beta),
  }),
  calculating("clipped-to-half-precision", "clips x to the largest number of half precision", ["12.7"], {
    output: (x, mean, inverse, gamma, beta) => gamma * (Math.max(-65_504, Math.min(65_504, x)) - mean) * inverse + beta,
  }),
  calculating("tiny-is-zero", "takes what is below 1e-12 for noise", ["12.7"], {
    inverseDeviation: (variance, epsilon) => 1 / Math.sqrt((variance < 1e-12 ? 0 : variance) + epsilon),
  }),
  calculating("scale-off-keeps-the-deviation", "takes scale: false for 'do not divide by the deviation'", ["8.1"], {
    output: (x, mean, inverse, gamma, beta, { config }) => (config.scale ? gamma * inverse : 1) * (x - mean) + beta,
  }),
  calculating("center-off-keeps-the-mean", "takes center: false for 'do not subtract the mean'", ["8.2"], {
    output: (x, mean, inverse, gamma, beta, { config }) => gamma * (config.center ? x - mean : x) * inverse + beta,
  }),
  calculating("stale-gamma", "folds gamma at the first call and keeps it (caches of folded scales)", ["5.4"], { gamma: staleGamma() }),
  calculating("stale-statistics", "folds the statistics at the first inference and keeps them", ["5.4"], { statistics: staleStatistics() }),
  calculating("statistics-move-in-inference", "updates the statistics at inference", ["5.3"], {
    movesInInference: (trainable) => trainable,
  }),
  calculating("frozen-moves", "updates the statistics of a frozen layer (PyTorch with requires_grad=False)", ["4.2"], {
    movesInInference: (trainable) => !trainable,
  }),
  calculating("frozen-not-frozen", "normalizes a frozen layer with the batch (tfjs 4.22 layers)", ["4.2", "16.4"], {
    frozenUsesBatch: true,
  }),
  calculating("trains-with-moving", "normalizes a training step with the moving statistics", ["6.1"], { trainsWithMoving: true }),
  calculating("axis-ignored", "takes the last axis for the channels (parameters cycle: tfjs 4.22 cpu and wasm on axis 1)", ["3.1"], {
    channelOf: (k, { channels }) => k % channels,
  }),
  calculating("negative-axis-from-the-front", "takes axis -1 for the first axis", ["3.1"], {
    channelOf: (k, { outer, channels, inner }, axis) =>
      axis < 0 ? Math.floor(k / ((outer * inner * channels) / channels)) : Math.floor(k / inner) % channels,
  }),
  calculating("mask-on-output", "leaves hidden elements as they are", ["9.2"], {
    output: (x, mean, inverse, gamma, beta, { visible }) => (visible ? gamma * (x - mean) * inverse + beta : x),
  }),
  calculating("subnormals-flushed", "flushes subnormals to zero and declares that it does not", ["11.4"], {
    output: (x, mean, inverse, gamma, beta) => flush(flush(gamma) * (flush(x) - flush(mean)) * inverse + flush(beta)),
  }),
  calculating("negative-zero-is-negative", "takes the sign bit of -0 for a number below zero", ["11.5"], {
    output: (x, mean, inverse, gamma, beta) => gamma * ((Object.is(x, -0) ? -(2 ** -10) : x) - mean) * inverse + beta,
  }),
];

function halfPrecision(value: number): number {
  const scale = 2 ** (Math.floor(Math.log2(Math.abs(value) || 1)) - 10);
  return Math.round(value / scale) * scale;
}

function flush(value: number): number {
  return Math.abs(value) < 2 ** -126 ? 0 : value;
}

function staleGamma(): Formulas["gamma"] {
  return firstOf((gamma: Float32Array) => gamma.slice());
}

function staleStatistics(): Formulas["statistics"] {
  return firstOf(({ movingMean, movingVariance }: Statistics) => ({
    movingMean: movingMean.slice(),
    movingVariance: movingVariance.slice(),
  }));
}

/** Keeps, for each layer, a copy of the first value that it is given. */
function firstOf<Value>(copy: (value: Value) => Value): (current: Value, layer: object) => Value {
  const first = new WeakMap<object, Value>();
  return (current, layer) => {
    if (!first.has(layer)) first.set(layer, copy(current));
    return first.get(layer)!;
  };
}
