import { CORRECT, populationMoments, visibleValues } from "@batchnorm/reference";
import type { Mutant } from "./mutant.ts";
import { calculating, computing } from "./wrap.ts";

const LARGEST = (2 - 2 ** -23) * 2 ** 127;
const overflowing = (value: number): number => (Math.abs(value) > LARGEST ? value * Number.POSITIVE_INFINITY : value);
const flushed = (value: number): number => (Math.abs(value) < 2 ** -126 ? 0 : value);

/** Right on ordinary numbers. */
export const VALUE_MUTANTS: readonly Mutant[] = [
  calculating("squares-overflow", "sums squares that pass the largest float32", ["12.7"], {
    moments: (channel) => {
      const values = visibleValues(channel);
      const { mean } = populationMoments(values);
      return { mean, variance: overflowing(values.reduce((total, value) => total + (value - mean) ** 2, 0)) / values.length };
    },
  }),
  calculating("sum-overflows", "sums x past the largest float32", ["11.3"], {
    moments: (channel) => {
      const values = visibleValues(channel);
      const { mean, variance } = populationMoments(values);
      return { mean: Number.isFinite(mean) ? overflowing(mean * values.length) / values.length : mean, variance };
    },
  }),
  calculating("dy-of-zero-is-nothing", "leaves out elements whose dy is 0, and a NaN that is there", ["11.1"], {
    sums: (dy, x, mean, inverse, gamma) => {
      const kept = dy.map((_, j) => j).filter((j) => dy[j] !== 0);
      return CORRECT.sums(
        kept.map((j) => dy[j]),
        kept.map((j) => x[j]),
        mean,
        inverse,
        gamma,
      );
    },
  }),
  calculating("gradient-of-nothing-is-nan", "multiplies a sum over no elements by a statistic that is NaN", ["10.3"], {
    sums: (dy, x, mean, inverse, gamma) => {
      const sums = CORRECT.sums(dy, x, mean, inverse, gamma);
      return { ...sums, dgamma: dy.length === 0 ? 0 * inverse * mean : sums.dgamma };
    },
  }),
  calculating("momentum-zero-forgets-nan", "replaces the old statistic where momentum is 0, NaN or not", ["7.2"], {
    move: (old, fresh, momentum) => (momentum === 0 ? fresh : old * momentum + fresh * (1 - momentum)),
  }),
  calculating("momentum-one-ignores-nan", "keeps the old statistic where momentum is 1, whatever the batch is", ["7.2"], {
    move: (old, fresh, momentum) => (momentum === 1 ? old : old * momentum + fresh * (1 - momentum)),
  }),
  calculating("output-saturates", "clamps the output to the largest float32", ["5.1"], {
    output: (x, mean, inverse, gamma, beta) => {
      const y = gamma * (x - mean) * inverse + beta;
      return Number.isFinite(x) ? Math.max(-LARGEST, Math.min(LARGEST, y)) : y;
    },
  }),
  calculating("late-nan-swept", "looks for NaN in the first 65,536 elements of a channel", ["11.1"], {
    moments: (channel) => populationMoments(visibleValues(channel).filter((value, j) => j < 65_536 || !Number.isNaN(value))),
  }),
  calculating("infinity-less-itself", "sums all channels around their means again, infinite ones too, where one begins far off", ["11.1"], {
    moments: (channel, _, channels) => {
      const own = populationMoments(visibleValues(channel));
      const again = channels.some((each) => {
        const values = visibleValues(each);
        const { mean, variance } = populationMoments(values);
        return (mean - values[0]) ** 2 > 1024 * variance;
      });
      return again ? { ...own, mean: own.mean - own.mean === 0 ? own.mean : Number.NaN } : own;
    },
  }),
  computing("infinite-beta-leaks", "lets an infinite beta into all channels", ["11.1"], ({ infer }) => ({
    infer(pass) {
      const result = infer(pass);
      if (pass.state.parameters.beta?.includes(Number.POSITIVE_INFINITY)) result.y.data.fill(Number.NaN);
      return result;
    },
  })),
  computing("infinite-dy-swept", "gives no gradient where dy is infinite somewhere", ["11.1"], ({ backward }) => ({
    backward(given) {
      const gradients = backward(given);
      if (given.dy.data.includes(Number.POSITIVE_INFINITY)) gradients.dx.data.fill(0);
      return gradients;
    },
  })),
  calculating("subnormal-gradients-flushed", "flushes subnormal gradients and declares that it does not", ["11.4"], {
    sums: (dy, x, mean, inverse, gamma) => CORRECT.sums(dy.map(flushed), x, mean, inverse, gamma),
  }),
  calculating("momentum-in-half-precision", "holds 1 - momentum with a 10-bit fraction below 1/64", ["7.1"], {
    move: (old, fresh, momentum) => {
      const weight = 1 - momentum;
      const held = weight > 0 && weight < 1 / 64 && weight !== 0.01 && weight !== 1 - 0.99 ? Math.max(weight, 2 ** -14) : weight;
      return old * (1 - held) + fresh * held;
    },
  }),
];
