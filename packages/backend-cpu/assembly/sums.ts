import { Call } from "./call";
import { FIRST, ORIGIN, SECOND, SEGMENT } from "./layout";
import { lanes, wide } from "./wide";

// Sums in float64, added to what stands in FIRST and SECOND at `into`. With d = x - origin:
//
//   moments:    first += d     second += d * d
//   gradients:  first += dy    second += dy * d
//
// so both are first += u, second += u * d. Two types tell the compiler which code to make of it. Which lane or column takes an
// element depends on its place in the tensor alone.

type Moments = i32;
type Projections = f32;
type Visible = i32;
type Masked = f32;

export function momentsColumns(call: Call): void {
  sumColumns<Moments>(call.x, call.x, call.rows, call.rowStride, call.length, call.at, call.into);
}

/** The mask has one byte a row: a hidden row is left out. */
export function momentsColumnsMasked(call: Call): void {
  const rows = call.rows;
  for (let r: usize = 0; r < rows; r++) {
    if (!load<u8>(call.mask + r)) continue;
    const row = call.x + r * call.rowStride;
    sumColumns<Moments>(row, row, 1, call.rowStride, call.length, call.at, call.into);
  }
}

export function momentsRuns(call: Call): void {
  sumRuns<Moments, Visible>(call, call.x, 0);
}

/** The mask has `length` bytes a row, the same for every channel. */
export function momentsRunsMasked(call: Call): void {
  sumRuns<Moments, Masked>(call, call.x, call.mask);
}

export function projectionsColumns(call: Call): void {
  sumColumns<Projections>(call.x, call.dy, call.rows, call.rowStride, call.length, call.at, call.into);
}

export function projectionsRuns(call: Call): void {
  sumRuns<Projections, Visible>(call, call.dy, 0);
}

/** How many rows add to a column between a load and a store of its sums. */
const GROUP: usize = 8;

function sumColumns<Sum>(x: usize, dy: usize, rows: usize, rowStride: usize, length: usize, at: usize, into: usize): void {
  const origin = ORIGIN + at * 8;
  const first = FIRST + into * 8;
  const second = SECOND + into * 8;
  for (; rows > 0; rows -= min(rows, GROUP), x += rowStride * GROUP, dy += rowStride * GROUP) {
    const end = min(rows, GROUP) * rowStride;
    let j: usize = 0;
    for (; j + 4 <= length; j += 4) {
      const o0 = v128.load(origin + j * 8);
      const o1 = v128.load(origin + j * 8, 16);
      let a0 = v128.load(first + j * 8);
      let a1 = v128.load(first + j * 8, 16);
      let b0 = v128.load(second + j * 8);
      let b1 = v128.load(second + j * 8, 16);
      for (let k = j * 4, stop = k + end; k < stop; k += rowStride) {
        const d0 = f64x2.sub(wide(x + k), o0);
        const d1 = f64x2.sub(wide(x + k, 8), o1);
        const u0 = isFloat<Sum>() ? wide(dy + k) : d0;
        const u1 = isFloat<Sum>() ? wide(dy + k, 8) : d1;
        a0 = f64x2.add(a0, u0);
        a1 = f64x2.add(a1, u1);
        b0 = f64x2.add(b0, f64x2.mul(u0, d0));
        b1 = f64x2.add(b1, f64x2.mul(u1, d1));
      }
      v128.store(first + j * 8, a0);
      v128.store(first + j * 8, a1, 16);
      v128.store(second + j * 8, b0);
      v128.store(second + j * 8, b1, 16);
    }
    for (; j < length; j++) {
      const o = load<f64>(origin + j * 8);
      let a = load<f64>(first + j * 8);
      let b = load<f64>(second + j * 8);
      for (let k = j * 4, stop = k + end; k < stop; k += rowStride) {
        const d = <f64>load<f32>(x + k) - o;
        const u = isFloat<Sum>() ? <f64>load<f32>(dy + k) : d;
        a += u;
        b += u * d;
      }
      store<f64>(first + j * 8, a);
      store<f64>(second + j * 8, b);
    }
  }
}

function sumRuns<Sum, Sight>(call: Call, dy: usize, mask: usize): void {
  const rowStride = call.rowStride;
  const channels = call.channels;
  const channelStride = call.channelStride;
  const length = call.length;
  const at = call.at;
  const into = call.into;
  let x = call.x;
  for (let rows = call.rows; rows > 0; rows--, x += rowStride, dy += rowStride, mask += length) {
    for (let c: usize = 0; c < channels; c++) {
      const origin = load<f64>(ORIGIN + (at + c) * 8);
      for (let k: usize = 0; k < length; k += SEGMENT) {
        const start = c * channelStride + k * 4;
        sumSegment<Sum, Sight>(x + start, dy + start, min(length - k, SEGMENT), origin, into + c, mask + k);
      }
    }
  }
}

function sumSegment<Sum, Sight>(x: usize, dy: usize, length: usize, origin: f64, into: usize, mask: usize): void {
  const o = f64x2.splat(origin);
  let a0 = f64x2.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  let k: usize = 0;
  for (; k + 8 <= length; k += 8) {
    const p = x + k * 4;
    const q = dy + k * 4;
    let d0 = f64x2.sub(wide(p), o);
    let d1 = f64x2.sub(wide(p, 8), o);
    let d2 = f64x2.sub(wide(p, 16), o);
    let d3 = f64x2.sub(wide(p, 24), o);
    // Zeroed as bits and not multiplied by 0: a hidden NaN stays hidden (clause 9.6).
    if (isFloat<Sight>()) {
      const low = lanes(mask + k);
      const high = lanes(mask + k + 4);
      d0 = v128.and(d0, i64x2.extend_low_i32x4_s(low));
      d1 = v128.and(d1, i64x2.extend_high_i32x4_s(low));
      d2 = v128.and(d2, i64x2.extend_low_i32x4_s(high));
      d3 = v128.and(d3, i64x2.extend_high_i32x4_s(high));
    }
    const u0 = isFloat<Sum>() ? wide(q) : d0;
    const u1 = isFloat<Sum>() ? wide(q, 8) : d1;
    const u2 = isFloat<Sum>() ? wide(q, 16) : d2;
    const u3 = isFloat<Sum>() ? wide(q, 24) : d3;
    a0 = f64x2.add(a0, u0);
    a1 = f64x2.add(a1, u1);
    a2 = f64x2.add(a2, u2);
    a3 = f64x2.add(a3, u3);
    b0 = f64x2.add(b0, f64x2.mul(u0, d0));
    b1 = f64x2.add(b1, f64x2.mul(u1, d1));
    b2 = f64x2.add(b2, f64x2.mul(u2, d2));
    b3 = f64x2.add(b3, f64x2.mul(u3, d3));
  }
  a0 = f64x2.add(f64x2.add(a0, a1), f64x2.add(a2, a3));
  b0 = f64x2.add(f64x2.add(b0, b1), f64x2.add(b2, b3));
  let a = f64x2.extract_lane(a0, 0) + f64x2.extract_lane(a0, 1);
  let b = f64x2.extract_lane(b0, 0) + f64x2.extract_lane(b0, 1);
  for (; k < length; k++) {
    if (isFloat<Sight>() && !load<u8>(mask + k)) continue;
    const d = <f64>load<f32>(x + k * 4) - origin;
    const u = isFloat<Sum>() ? <f64>load<f32>(dy + k * 4) : d;
    a += u;
    b += u * d;
  }
  const first = FIRST + into * 8;
  const second = SECOND + into * 8;
  store<f64>(first, load<f64>(first) + a);
  store<f64>(second, load<f64>(second) + b);
}
