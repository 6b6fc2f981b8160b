import type { ChannelView } from "@batchnorm/spec";
import { fromBfloat16, fromFloat16 } from "@batchnorm/spec/half";
import type { Elements, TensorView } from "../memory/elements.ts";
import { BFLOAT16 } from "../memory/layout.generated.ts";

// The plain loops take float32 alone. Tensors of half precision are widened for them, which is exact, and what they write is narrowed:
// to nearest, ties to even, as the SIMD kernels do it (assembly/half.ts).

/** Channels `from` to `to` of a tensor as float32 `[outer, to - from, inner]`. */
export function widenPlain(data: Elements, view: TensorView, from: number = 0, to: number = view.channels): Float32Array {
  const result = new Float32Array(view.outer * (to - from) * view.inner);
  const numbers = numbersOf(view.half);
  eachElement(view, from, to, (inTensor, k) => {
    result[k] = numbers[data[inTensor]];
  });
  return result;
}

const known = new Map<number | undefined, Float32Array>();

/** The numbers that all 65536 patterns of 16 bits stand for: 256 KB, made when they are first needed. */
function numbersOf(half: number | undefined): Float32Array {
  let numbers = known.get(half);
  if (numbers === undefined) {
    const decode = half === BFLOAT16 ? fromBfloat16 : fromFloat16;
    numbers = Float32Array.from({ length: 2 ** 16 }, (_, bits) => decode(bits));
    known.set(half, numbers);
  }
  return numbers;
}

/** Writes them back. */
export function narrowPlain(values: Float32Array, data: Elements, view: TensorView, from: number = 0, to: number = view.channels): void {
  const narrow = view.half === BFLOAT16 ? narrowBFloat16 : narrowFloat16;
  eachElement(view, from, to, (inTensor, k) => {
    data[inTensor] = narrow(values[k]);
  });
}

/** The view of what these give and take. */
export function channelsOf({ outer, inner }: TensorView, from: number, to: number): ChannelView {
  return { outer, channels: to - from, inner };
}

/** `visit` is given each place in the tensor and its place among those of these channels. */
function eachElement({ outer, channels, inner }: TensorView, from: number, to: number, visit: (inTensor: number, k: number) => void): void {
  let k = 0;
  for (let o = 0; o < outer; o++) {
    for (let at = (o * channels + from) * inner, end = (o * channels + to) * inner; at < end; at++, k++) visit(at, k);
  }
}

const float32 = new Float32Array(1);
const word = new Int32Array(float32.buffer);

function narrowFloat16(value: number): number {
  float32[0] = value;
  const sign = (word[0] >>> 16) & 0x8000;
  const magnitude = word[0] & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // From 65536 on; below, rounding carries into the exponent as it should.
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) return sign | ((magnitude - (112 << 23) + 0xfff + ((magnitude >> 13) & 1)) >> 13);
  // Subnormal: in units of 2^-24, rounded by a sum that has no room for less.
  return sign | (Math.abs(value) * 2 ** 24 + 2 ** 52 - 2 ** 52);
}

function narrowBFloat16(value: number): number {
  float32[0] = value;
  const bits = word[0];
  // A NaN is cut off, and quiet: rounding could make an infinity of it.
  return (Number.isNaN(value) ? bits | 0x400000 : bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
