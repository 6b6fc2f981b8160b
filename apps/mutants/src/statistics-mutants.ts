import { type Formulas, override, populationMoments, visibleValues } from "@batchnorm/reference";
import { BatchNormError, type ChannelView, type NonFiniteElement } from "@batchnorm/spec";
import { float32Formulas } from "./float32.ts";
import type { Mutant } from "./mutant.ts";
import { calculating, creating, handling, summing } from "./wrap.ts";

type Moments = Formulas["moments"];

/** One wrong step each in what a batch leaves in the statistics. */
export const STATISTICS_MUTANTS: readonly Mutant[] = [
  calculating("sample-variance-in-output", "normalizes with n - 1", ["6.1"], {
    moments: ofValues((values) => {
      const { mean, variance } = populationMoments(values);
      return { mean, variance: values.length > 1 ? (variance * values.length) / (values.length - 1) : variance };
    }),
  }),
  calculating("sample-variance-moves", "puts the sample variance into the moving variance unasked (tf-keras fused, PyTorch)", ["7.1"], {
    entering: (variance, n) => (n > 1 ? (variance * n) / (n - 1) : variance),
  }),
  calculating("population-variance-moves", "ignores varianceEstimator 'sample'", ["7.3", "16.1"], { entering: (variance) => variance }),
  calculating("sample-of-one-divides-by-zero", "divides by n - 1 = 0", ["7.4"], {
    entering: (variance, n, estimator) => (estimator === "sample" ? (variance * n) / (n - 1) : variance),
  }),
  calculating("momentum-flipped", "gives momentum to the new value (PyTorch's convention)", ["7.1"], {
    move: (old, fresh, momentum) => old * (1 - momentum) + fresh * momentum,
  }),
  calculating("momentum-zero-is-default", "takes momentum 0 for absent", ["7.2"], {
    move: (old, fresh, momentum) => old * (momentum || 0.99) + fresh * (1 - (momentum || 0.99)),
  }),
  calculating("momentum-never-one", "clamps momentum below 1", ["7.2"], {
    move: (old, fresh, momentum) => old * Math.min(momentum, 0.999) + fresh * (1 - Math.min(momentum, 0.999)),
  }),
  calculating(
    "momentum-warms-up",
    "gives the first steps a smaller momentum (TensorFlow's ExponentialMovingAverage with num_updates)",
    ["7.5"],
    {
      move: warmingUp(),
    },
  ),
  calculating("initial-state-is-none", "takes the initial statistics for none, and lets the first batch replace them", ["1.3"], {
    move: (old, fresh, momentum) => (old === 0 || old === 1 ? fresh : old * momentum + fresh * (1 - momentum)),
  }),
  calculating("statistics-in-half-precision", "keeps the moving statistics with a 10-bit fraction", ["7.5"], {
    move: (old, fresh, momentum) => {
      const moved = old * momentum + fresh * (1 - momentum);
      const scale = 2 ** (Math.floor(Math.log2(Math.abs(moved) || 1)) - 10);
      return Math.round(moved / scale) * scale;
    },
  }),
  calculating("mean-of-one-row", "takes the statistics over the first half of the elements only", ["6.2"], {
    moments: ofValues((values) => populationMoments(values.slice(0, Math.max(1, values.length >> 1)))),
  }),
  calculating("tail-lost", "leaves out the elements after the last full vector of four", ["6.2"], {
    moments: ofValues((values) => populationMoments(values.length > 4 ? values.slice(0, values.length & ~3) : values)),
  }),
  calculating("count-in-16-bits", "counts the elements in 16 bits", ["6.2"], {
    moments: ofValues((values) => {
      const { mean, variance } = populationMoments(values);
      return { mean, variance: (variance * values.length) / (values.length % 65_536) };
    }),
  }),
  calculating("square-of-mean", "computes E[x^2] - E[x]^2 in float32 (Keras on PyTorch and NumPy)", ["12.6"], {
    moments: ofValues((values) => {
      const mean = Math.fround(float32Sum(values) / values.length);
      const squares = Math.fround(float32Sum(values.map((value) => Math.fround(value * value))) / values.length);
      return { mean, variance: Math.fround(squares - Math.fround(mean * mean)) };
    }),
  }),
  calculating("square-of-mean-clamped", "computes E[x^2] - E[x]^2 in float64 and clamps at 0", ["12.6"], {
    moments: ofValues((values) => {
      const mean = sum(values) / values.length;
      return { mean, variance: Math.max(0, sum(values.map((value) => value * value)) / values.length - mean * mean) };
    }),
  }),
  calculating("float32-sums", "declares float64 accumulation and sums in float32", ["12.6"], {
    moments: ofValues((values) => {
      const mean = Math.fround(float32Sum(values) / values.length);
      return { mean, variance: float32Sum(values.map((value) => (value - mean) ** 2)) / values.length };
    }),
  }),
  summing("running-sums", "adds up a whole channel in float32, one element after another", ["12.3"], {
    ...float32Formulas({ block: Number.POSITIVE_INFINITY }),
  }),
  summing("shifted-by-the-first", "takes the mean from differences to the first element, which may lie far outside", ["12.3"], {
    ...float32Formulas({ corrected: false }),
  }),
  summing("shifted-by-the-largest", "takes the mean from differences to the largest element, which may lie far outside", ["12.3"], {
    ...float32Formulas({ corrected: false, shift: (values) => values.reduce((most, each) => Math.max(most, each), values[0]) }),
  }),
  calculating("variance-overflows", "lets the squares of large deviations overflow float32: the output is beta (Keras 3.15)", ["12.7"], {
    moments: ofValues((values) => {
      const { mean, variance } = populationMoments(values);
      return { mean, variance: Math.fround(variance) };
    }),
  }),
  calculating("one-element-is-nan", "divides the variance of one element by 0", ["6.4"], {
    moments: ofValues((values) => {
      const { mean, variance } = populationMoments(values);
      return { mean, variance: values.length === 1 ? Number.NaN : variance };
    }),
  }),
  calculating("mask-ignored", "takes the statistics over hidden elements too (tfjs 4.22)", ["9.1"], { sees: () => true }),
  calculating("mask-of-ones-only", "takes every byte of a mask but 1 for a 0, such as the 255 of an image", ["9.3"], {
    sees: (mask) => mask === 1,
  }),
  calculating("mask-inverted", "hides what the mask shows", ["9.1"], { sees: (mask) => mask === 0 }),
  calculating("all-hidden-decays", "lets an all-hidden mask pull the statistics to 0 (Keras 3.15)", ["9.4"], {
    onAllHidden: ({ movingMean, movingVariance }, momentum) => {
      for (const statistic of [movingMean, movingVariance]) statistic.set(statistic.map((value) => value * momentum));
    },
  }),
  calculating("hidden-by-multiplication", "multiplies hidden elements by 0: a hidden NaN stays NaN", ["9.6"], {
    moments: ({ values, visible }) => {
      const n = visible.filter(Boolean).length;
      const mean = sum(values.map((value, j) => value * Number(visible[j]))) / n;
      return { mean, variance: sum(values.map((value, j) => (value - mean) ** 2 * Number(visible[j]))) / n };
    },
  }),
  calculating("nan-leaks", "lets a NaN in one channel into all of them", ["11.1"], {
    moments: (channel, _c, all) => {
      const poisoned = all.some((each) => visibleValues(each).some(Number.isNaN));
      return poisoned ? { mean: Number.NaN, variance: Number.NaN } : populationMoments(visibleValues(channel));
    },
  }),
  calculating("nan-swept", "drops what is not finite from the statistics", ["11.1"], {
    moments: ofValues((values) => populationMoments(values.filter(Number.isFinite))),
  }),
  calculating("shifted-by-the-moving-mean", "shifts x by the moving mean before it sums, NaN or not", ["11.1"], {
    moments: (channel, c, _all, { movingMean }) => {
      const { mean, variance } = populationMoments(visibleValues(channel).map((value) => value - movingMean[c]));
      return { mean: movingMean[c] + mean, variance };
    },
  }),
  calculating("constant-channel-floored", "puts a floor under the variance", ["11.3"], {
    moments: ofValues((values) => {
      const { mean, variance } = populationMoments(values);
      return { mean, variance: Math.max(variance, 1e-6) };
    }),
  }),
  creating(
    "state-torn",
    "updates the statistics before it finds that x has to be rejected",
    ["11.2", "6.3"],
    (create) => (config, state) => {
      if (config?.nonFinite !== "reject") return create(config, state);
      const layer = create({ ...config, nonFinite: "propagate" }, state);
      return override(layer, {
        call: (x, options) => {
          const y = layer.call(x, options);
          const at = x.data.findIndex((value) => !Number.isFinite(value));
          if (at < 0) return y;
          throw new BatchNormError("non-finite", "x is not finite", x.data[at], "finite numbers");
        },
      });
    },
  ),
  handling("rejects-nan-only", "lets infinities pass where nonFinite is 'reject'", ["11.2"], {
    findNonFinite: ({ data }, view) => nonFiniteAt(data.findIndex(Number.isNaN), data, view),
  }),
  handling("rejects-the-wrong-channel", "names the channel as if it were the last axis", ["11.2"], {
    findNonFinite: ({ data }, { channels, outer, inner }) =>
      nonFiniteAt(
        data.findIndex((value) => !Number.isFinite(value)),
        data,
        { outer: outer * inner, channels, inner: 1 },
      ),
  }),
];

function ofValues(moments: (values: readonly number[]) => ReturnType<Moments>): Moments {
  return (channel) => moments(visibleValues(channel));
}

function nonFiniteAt(k: number, data: Float32Array, { channels, inner }: ChannelView): NonFiniteElement | null {
  return k < 0 ? null : { channel: Math.floor(k / inner) % channels, value: data[k] };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function float32Sum(values: readonly number[]): number {
  return values.reduce((total, value) => Math.fround(total + value), 0);
}

function warmingUp(): Formulas["move"] {
  const moves = new WeakMap<object, number>();
  return (old, fresh, momentum, layer) => {
    const step = moves.get(layer) ?? 0;
    moves.set(layer, step + 1);
    const warm = Math.min(momentum, (1 + step) / (10 + step));
    return old * warm + fresh * (1 - warm);
  };
}
