import { Call } from "./call";

/** The index of the first NaN or infinity among `length` elements, or -1: only for them x - x is not 0. */
export function findNonFinite(call: Call): i32 {
  const x = call.x;
  const length = call.length;
  let k: usize = 0;
  for (; k + 16 <= length; k += 16) {
    const p = x + k * 4;
    const a = f32x4.add(zero(p, 0), zero(p, 16));
    const b = f32x4.add(zero(p, 32), zero(p, 48));
    if (v128.any_true(f32x4.ne(f32x4.add(a, b), f32x4.splat(0)))) break;
  }
  for (; k < length; k++) {
    const value = load<f32>(x + k * 4);
    if (value - value !== 0) return k;
  }
  return -1;
}

function zero(address: usize, offset: usize): v128 {
  const value = v128.load(address + offset);
  return f32x4.sub(value, value);
}
