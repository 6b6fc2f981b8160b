import type { HalfData, HalfDType, HostTensor } from "./contract.ts";
import { sizeOf } from "./view.ts";

// Half precision without Float16Array, which Node 20 and 22 do not have.

export type { HalfData, HalfDType };

/** A tensor of half precision in typed arrays. What a backend makes has a dtype, whichever array it is. */
export interface HalfTensor extends HostTensor<HalfData> {
  readonly dtype: HalfDType;
}

/** A tensor of half precision, all zeros, in the same kind of array as another: what x is, y and dx are. */
export function halfTensorLike(tensor: HostTensor<HalfData>, shape: readonly number[]): HalfTensor {
  const { dtype = "float16", data } = tensor;
  return { data: newHalfData(data, sizeOf(shape)), shape: [...shape], dtype };
}

/** An array of this realm. Where somebody has a Float16Array, the language has one. */
function newHalfData(like: HalfData, length: number): HalfData {
  // The tag is the same in every realm, where `instanceof` is not.
  if (like[Symbol.toStringTag] === "Uint16Array") return new Uint16Array(length);
  const { Float16Array } = globalThis as unknown as { readonly Float16Array: new (length: number) => HalfData };
  return new Float16Array(length);
}

/** A binary format of 16 bits: one for the sign, and these. */
interface Format {
  readonly fraction: number;
  readonly exponent: number;
}

const FLOAT16: Format = { fraction: 10, exponent: 5 };
const BFLOAT16: Format = { fraction: 7, exponent: 8 };

/** The number that 16 bits of float16 stand for: exact. */
export function fromFloat16(bits: number): number {
  return decode(bits, FLOAT16);
}

/** The number that 16 bits of bfloat16 stand for: exact. */
export function fromBfloat16(bits: number): number {
  return decode(bits, BFLOAT16);
}

/** The bits of the nearest float16, ties to even, rounded once: from a float64 by way of float32 it would be twice. */
export function toFloat16(value: number): number {
  return encode(value, FLOAT16);
}

/** The bits of the nearest bfloat16, ties to even, rounded once. */
export function toBfloat16(value: number): number {
  return encode(value, BFLOAT16);
}

/** The bits of an array of half precision, as they lie in its memory: nothing is copied. */
export function halfBits(data: HalfData): Uint16Array {
  return new Uint16Array(data.buffer, data.byteOffset, data.length);
}

/** Whether the bits of an element stand for NaN or an infinity: its exponent is all ones. */
export function isNonFiniteHalf(bits: number, dtype: HalfDType): boolean {
  const exponent = dtype === "float16" ? 0x7c00 : 0x7f80;
  return (bits & exponent) === exponent;
}

function decode(bits: number, { fraction, exponent }: Format): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const mantissa = bits & (2 ** fraction - 1);
  const power = (bits >> fraction) & (2 ** exponent - 1);
  const bias = 2 ** (exponent - 1) - 1;
  if (power === 2 ** exponent - 1) return mantissa === 0 ? sign * Infinity : Number.NaN;
  // A subnormal number has the exponent of the smallest normal one, and no hidden bit.
  const scale = 2 ** (Math.max(power, 1) - bias - fraction);
  return sign * (power === 0 ? mantissa : mantissa + 2 ** fraction) * scale;
}

function encode(value: number, { fraction, exponent }: Format): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const infinity = (2 ** exponent - 1) * 2 ** fraction;
  if (Number.isNaN(value)) return sign | (infinity + 2 ** (fraction - 1));
  const magnitude = Math.abs(value);
  const bias = 2 ** (exponent - 1) - 1;
  if (magnitude >= 2 ** (bias + 1)) return sign | infinity;
  // The distance between neighbours at this magnitude; the product with its inverse is exact, since both are powers of
  // two.
  const power = Math.max(exponentOf(magnitude), 1 - bias);
  const steps = roundToEven(magnitude * 2 ** (fraction - power));
  // A carry into the next exponent, and from the largest number into infinity, is the same addition.
  return sign | (steps + (power - 1 + bias) * 2 ** fraction);
}

const float64 = new Float64Array(1);
const words = new Uint32Array(float64.buffer);

/**
 * floor(log2(x)) of a positive normal float64, from its bits; less than that of any half for 0 and subnormal numbers.
 * Little-endian, as everywhere.
 */
function exponentOf(x: number): number {
  float64[0] = x;
  return ((words[1] >>> 20) & 0x7ff) - 1023;
}

function roundToEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}
