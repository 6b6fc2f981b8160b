import { type Formulas, visibleValues } from "@batchnorm/reference";

const { fround } = Math;

/** How a backend sums in float32. */
export interface Float32Sums {
  /** The terms of a block; the sums of blocks are summed likewise. */
  readonly block: number;
  /** What the first mean is taken from: x less this. */
  readonly shift: (values: readonly number[]) => number;
  /** Whether a second mean corrects the first. */
  readonly corrected: boolean;
}

/** As the spec has it (clause 12.3). */
export const HONEST_SUMS: Float32Sums = { block: 128, shift: ([first]) => first, corrected: true };

/** Moments and gradients in float32, one rounding an operation: what a device without float64 computes. */
export function float32Formulas(changes: Partial<Float32Sums> = {}): Pick<Formulas, "moments" | "sums"> {
  const { block, shift: shiftOf, corrected } = { ...HONEST_SUMS, ...changes };
  const sum = (values: readonly number[]): number => blockedSum(values, block);
  return {
    moments: (channel) => {
      const values = visibleValues(channel);
      const meanOf = (terms: readonly number[]): number => fround(sum(terms) / values.length);
      const from = (centre: number): number[] => values.map((value) => fround(value - centre));
      const shift = finiteOrZero(shiftOf(values));
      const centre = corrected ? fround(shift + meanOf(from(shift))) : shift;
      const deviations = from(centre);
      const offset = finiteOrZero(meanOf(deviations));
      // A factor that is a power of two keeps the squares in range (clause 12.7).
      const largest = deviations.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
      const unit = largest > 2 ** 60 && largest < Number.POSITIVE_INFINITY ? 2 ** 80 : 1;
      const squares = meanOf(deviations.map((each) => fround((each / unit) * (each / unit))));
      return { mean: centre + offset, variance: (squares - (offset / unit) ** 2) * unit ** 2 };
    },
    sums: (dy, x, mean, inverseDeviation) => ({
      dgamma: sum(dy.map((each, j) => fround(each * fround(x[j] - mean)))) * inverseDeviation,
      dbeta: sum(dy),
    }),
  };
}

/** A float32 sum of the float32 sums of blocks. */
function blockedSum(values: readonly number[], block: number): number {
  const blocks: number[] = [];
  for (let start = 0; start < values.length; start += block) {
    let sum = 0;
    for (let k = start; k < Math.min(start + block, values.length); k++) sum = fround(sum + values[k]);
    blocks.push(sum);
  }
  return blocks.length > 1 ? blockedSum(blocks, block) : (blocks[0] ?? 0);
}

function finiteOrZero(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
