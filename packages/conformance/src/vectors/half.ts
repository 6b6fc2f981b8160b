import type { HalfDType } from "@batchnorm/spec/half";

// Half precision as the suite reads and writes it, by code of its own: a fault in common with a backend would be seen by nobody.

export type { HalfDType };

/** A dtype of x, and so of y, dy and dx. */
export type FloatDType = "float32" | HalfDType;

/** A binary format: how many bits its fraction has, and the exponent of its least normal number. */
export interface Precision {
  readonly fraction: number;
  readonly leastExponent: number;
  /** What would come after the greatest number, if the exponent went on: an infinity stands for it. */
  readonly beyond: number;
}

export const PRECISIONS: Readonly<Record<FloatDType, Precision>> = {
  float32: { fraction: 23, leastExponent: -126, beyond: 2 ** 128 },
  float16: { fraction: 10, leastExponent: -14, beyond: 2 ** 16 },
  bfloat16: { fraction: 7, leastExponent: -126, beyond: 2 ** 128 },
};

/** The distance between neighbouring numbers of this size. */
export function spacing(value: number, { fraction, leastExponent }: Precision): number {
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  return 2 ** (Math.max(Number.isNaN(exponent) ? leastExponent : exponent, leastExponent) - fraction);
}

/** The nearest number of the dtype, ties to even. */
export function nearest(value: number, dtype: HalfDType): number {
  if (!Number.isFinite(value) || value === 0) return value;
  const unit = spacing(value, PRECISIONS[dtype]);
  // Exact: a division by a power of two, and for numbers of no more than 53 bits the difference.
  const steps = Math.abs(value) / unit;
  const down = Math.floor(steps);
  const up = steps - down > 0.5 || (steps - down === 0.5 && down % 2 === 1);
  const rounded = (up ? down + 1 : down) * unit;
  return Math.sign(value) * (rounded >= PRECISIONS[dtype].beyond ? Number.POSITIVE_INFINITY : rounded);
}

/** The numbers that bits stand for, each of which is a float32. */
export function widened(bits: Uint16Array, dtype: HalfDType): Float32Array {
  const table = tableOf(dtype).numbers;
  return Float32Array.from(bits, (each) => table[each]);
}

/** The bits of numbers, each of which is one of the dtype; NaN has one pattern. */
export function bitsOf(numbers: ArrayLike<number>, dtype: HalfDType): Uint16Array {
  const { codes } = tableOf(dtype);
  return Uint16Array.from(numbers, (each) => {
    const code = codes.get(Object.is(each, -0) ? "-0" : each);
    if (code === undefined) throw new RangeError(`${each} is no ${dtype}.`);
    return code;
  });
}

interface Table {
  readonly numbers: Float32Array;
  readonly codes: ReadonlyMap<number | "-0", number>;
}

const tables = new Map<HalfDType, Table>();

/** Every number of the dtype, by its bits, and back. */
function tableOf(dtype: HalfDType): Table {
  const known = tables.get(dtype);
  if (known !== undefined) return known;
  const { fraction, leastExponent, beyond } = PRECISIONS[dtype];
  const numbers = new Float32Array(2 ** 16);
  const codes = new Map<number | "-0", number>();
  const mantissas = 2 ** fraction;
  for (let code = 0; code < 2 ** 15; code++) {
    const exponent = Math.floor(code / mantissas);
    const mantissa = code % mantissas;
    const scale = 2 ** (Math.max(exponent, 1) - 1 + leastExponent - fraction);
    let number = (exponent === 0 ? mantissa : mantissa + mantissas) * scale;
    if (number >= beyond) number = mantissa === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
    numbers[code] = number;
    numbers[code + 2 ** 15] = -number;
    codes.set(code === 0 ? "-0" : -number, code + 2 ** 15);
    codes.set(number, code);
  }
  // A quiet NaN, whose mantissa begins with a 1.
  codes.set(Number.NaN, 2 ** 15 - mantissas / 2);
  const table = { numbers, codes };
  tables.set(dtype, table);
  return table;
}
