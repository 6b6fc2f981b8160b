import { type ChannelView, channelView } from "@batchnorm/spec";
import type { Case, Outputs, Step } from "../src/vectors/case.ts";

/**
 * The liberties that docs/spec.md leaves to an implementation. Everything that is not a sum is float32, one rounding
 * an operation; sums are float32 or float64.
 */
export interface Liberties {
  readonly accumulation: "float32" | "float64";
  /** Within a block of at most 128 terms where sums are float32, over all of them in float64. */
  readonly order: "forward" | "backward" | "pairwise" | "strided";
  /** The terms of a float32 block: the sums of blocks are summed likewise. `null` is no blocks, which is not honest. */
  readonly block: number | null;
  /** Which element of the channel x is shifted by. */
  readonly shift: "first" | "last" | "largest";
  /**
   * Whether the mean is corrected by a second one, from differences to the first: honest float32 sums need that, in
   * float64 an element that lies far outside costs nothing.
   */
  readonly corrected: boolean;
  /** A second pass over x - mean, or one pass over differences from the shift or the first mean. */
  readonly variance: "second pass" | "one shifted pass";
  /** x * scale + shift, or (x - mean) * scale + beta. */
  readonly affine: "folded" | "centred";
  /** By how many units in the last place the inverse root is off: WGSL allows 2. */
  readonly inverseRootOff: -2 | -1 | 0 | 1 | 2;
  /** Whether a mean is a product with 1 / n, not a division by n. */
  readonly reciprocal: boolean;
  /** Whether subnormal operands and results become 0. */
  readonly flush: boolean;
}

type Round = (value: number) => number;

/** Float32, with or without subnormals. */
function rounding({ flush }: Liberties): Round {
  return flush ? (value) => (Math.abs(Math.fround(value)) < 2 ** -126 ? 0 : Math.fround(value)) : Math.fround;
}

/** What a sum and its terms are held in. */
function accumulating(liberties: Liberties): Round {
  return liberties.accumulation === "float64" ? (value) => value : rounding(liberties);
}

interface Moments {
  readonly mean: number;
  readonly variance: number;
}

/**
 * What an honest implementation with these liberties gives at every step of a case. It shares no code with the suite.
 */
export function honestOutputs({ config, state, steps }: Case, liberties: Liberties): Outputs[] {
  const round = rounding(liberties);
  let gamma = state.parameters.gamma;
  let beta = state.parameters.beta;
  const movingMean = state.statistics.movingMean.slice();
  const movingVariance = state.statistics.movingVariance.slice();
  const momentum = round(config.momentum);
  const rest = round(1 - momentum);
  return steps.map((step): Outputs => {
    gamma = step.parameters?.gamma ?? gamma;
    beta = step.parameters?.beta ?? beta;
    const view = channelView(step.shape, config.axis);
    const channels = split(step, view);
    const y = new Float32Array(step.x.length);
    const dx = step.dy && new Float32Array(step.x.length);
    const dgamma = new Float32Array(view.channels);
    const dbeta = new Float32Array(view.channels);
    channels.forEach(({ at, visible }, c) => {
      const x = at.map((k) => round(step.x[k]));
      const seen = x.filter((_, j) => visible[j]);
      const useBatch = step.training && step.trainable && seen.length > 0;
      const moments: Moments = useBatch ? momentsOf(seen, liberties) : { mean: movingMean[c], variance: movingVariance[c] };
      const mean = round(moments.mean);
      const inverse = inverseRoot(round(round(moments.variance) + round(config.epsilon)), liberties);
      const scale = gamma === null ? inverse : round(round(gamma[c]) * inverse);
      const offset = beta === null ? 0 : round(beta[c]);
      const folded = round(offset - round(mean * scale));
      at.forEach((k, j) => {
        y[k] = liberties.affine === "folded" ? round(round(x[j] * scale) + folded) : round(round(round(x[j] - mean) * scale) + offset);
      });
      if (useBatch) {
        const n = seen.length;
        const entering =
          config.varianceEstimator === "sample" ? round(round(moments.variance) * round(n / Math.max(n - 1, 1))) : moments.variance;
        movingMean[c] = round(round(round(movingMean[c]) * momentum) + round(mean * rest));
        movingVariance[c] = round(round(round(movingVariance[c]) * momentum) + round(round(entering) * rest));
      }
      if (step.dy === null || dx === null) return;
      const dy = at.map((k) => round(step.dy![k]));
      const xHat = x.map((value) => round(round(value - mean) * inverse));
      const total = round(sum(dy, liberties));
      const products = dy.map((value, j) => round(value * xHat[j]));
      const projection = round(sum(products, liberties));
      dbeta[c] = total;
      dgamma[c] = projection;
      at.forEach((k, j) => {
        if (!useBatch || !visible[j]) {
          dx[k] = round(dy[j] * scale);
          return;
        }
        const through = average(round(total + round(xHat[j] * projection)), seen.length, liberties, round);
        dx[k] = round(round(dy[j] - round(through)) * scale);
      });
    });
    const learns = step.dy !== null && step.trainable;
    return {
      y,
      movingMean: movingMean.slice(),
      movingVariance: movingVariance.slice(),
      dx,
      dgamma: learns && gamma !== null ? dgamma : null,
      dbeta: learns && beta !== null ? dbeta : null,
    };
  });
}

function momentsOf(seen: readonly number[], liberties: Liberties): Moments {
  const round = accumulating(liberties);
  const n = seen.length;
  const meanOf = (values: readonly number[]): number => average(sum(values, liberties), n, liberties, round);
  const from = (centre: number): number[] => seen.map((value) => round(value - centre));
  const shift = { first: seen[0], last: seen[n - 1], largest: Math.max(...seen) }[liberties.shift];
  const centre = liberties.corrected ? round(shift + meanOf(from(shift))) : shift;
  const deviations = from(centre);
  const beyond = meanOf(deviations);
  const mean = round(centre + beyond);
  if (liberties.variance === "second pass") {
    return { mean, variance: meanOf(from(mean).map((value) => round(value * value))) };
  }
  const squares = meanOf(deviations.map((value) => round(value * value)));
  return { mean, variance: Math.max(0, round(squares - round(beyond * beyond))) };
}

function average(total: number, n: number, { reciprocal }: Liberties, round: Round): number {
  return reciprocal ? round(total * round(1 / n)) : round(total / n);
}

function sum(values: readonly number[], liberties: Liberties): number {
  const { accumulation, block } = liberties;
  if (accumulation === "float64" || block === null || values.length <= block) return sumRun(values, liberties);
  const blocks = Array.from({ length: Math.ceil(values.length / block) }, (_, j) =>
    sumRun(values.slice(j * block, (j + 1) * block), liberties),
  );
  return sum(blocks, liberties);
}

/** All values in a row, or in the order that was drawn. */
function sumRun(values: readonly number[], liberties: Liberties): number {
  const round = accumulating(liberties);
  const add = (a: number, b: number): number => round(a + b);
  switch (liberties.order) {
    case "forward":
      return values.reduce(add, 0);
    case "backward":
      return values.reduceRight(add, 0);
    case "pairwise": {
      let level = values.slice();
      while (level.length > 1)
        level = Array.from({ length: Math.ceil(level.length / 2) }, (_, j) => add(level[2 * j], level[2 * j + 1] ?? 0));
      return level[0] ?? 0;
    }
    case "strided": {
      const lanes = new Array<number>(4).fill(0);
      values.forEach((value, j) => {
        lanes[j % 4] = add(lanes[j % 4], value);
      });
      return lanes.reduce(add, 0);
    }
  }
}

/** 1 / sqrt(value), correctly rounded and then moved by units in the last place. */
function inverseRoot(value: number, liberties: Liberties): number {
  const round = rounding(liberties);
  const bits = new Int32Array(Float32Array.of(1 / Math.sqrt(value)).buffer);
  bits[0] += liberties.inverseRootOff;
  return round(new Float32Array(bits.buffer)[0]);
}

/** The elements of each channel, in order, and whether the mask lets them through. */
function split({ x, mask }: Step, { channels, inner }: ChannelView): { at: number[]; visible: boolean[] }[] {
  const found = Array.from({ length: channels }, () => ({ at: [] as number[], visible: [] as boolean[] }));
  for (let k = 0; k < x.length; k++) {
    const outer = Math.floor(k / (channels * inner));
    const { at, visible } = found[Math.floor(k / inner) % channels];
    at.push(k);
    visible.push(mask === null || mask[outer * inner + (k % inner)] !== 0);
  }
  return found;
}
