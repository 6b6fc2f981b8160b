import { CENTER, SCALE, SHIFT } from "./layout";

// out = (x - center) * scale + shift in float32, three operations. out may be x.

/** Bytes of x that one tile of `cached` columns spans: with as many of out it leaves room in a first-level cache. */
const SPAN: usize = 16384;

/**
 * Every column has constants of its own. Where the data is `cached`, sixteen columns at a time keep theirs in registers while they go down
 * a tile of rows: 1.4 copies on a [256, 512] that lies in a second-level cache, against 2.2 row by row. From main memory it is
 * the other way round (1.8 copies against 0.9 on 1e6 elements): steps across rows defeat the prefetcher.
 */
export function normalizeColumns(
  x: usize,
  _dy: usize,
  out: usize,
  rows: usize,
  rowStride: usize,
  _channels: usize,
  _channelStride: usize,
  length: usize,
  at: usize,
  _into: usize,
  _mask: usize,
  cached: bool,
): void {
  const constants = at * 4;
  if (!cached) {
    for (; rows > 0; rows--, x += rowStride, out += rowStride) normalizeRow(x, out, length, constants);
    return;
  }
  const most = max(SPAN / rowStride, 3);
  for (; rows > 0; rows -= min(rows, most), x += rowStride * most, out += rowStride * most) {
    normalizeTile(x, out, min(rows, most), rowStride, length, constants);
  }
}

function normalizeRow(x: usize, out: usize, length: usize, constants: usize): void {
  const bytes = length * 4;
  let j: usize = 0;
  for (; j + 32 <= bytes; j += 32) {
    const k = constants + j;
    v128.store(out + j, affine(v128.load(x + j), center(k), scale(k), shift(k)));
    v128.store(out + j, affine(v128.load(x + j, 16), center(k, 16), scale(k, 16), shift(k, 16)), 16);
  }
  for (; j + 16 <= bytes; j += 16) {
    const k = constants + j;
    v128.store(out + j, affine(v128.load(x + j), center(k), scale(k), shift(k)));
  }
  for (; j < bytes; j += 4) one(x + j, out + j, constants + j);
}

function normalizeTile(x: usize, out: usize, rows: usize, rowStride: usize, length: usize, constants: usize): void {
  const bytes = length * 4;
  let j: usize = 0;
  for (; j + 64 <= bytes; j += 64) {
    const k = constants + j;
    const c0 = center(k);
    const c1 = center(k, 16);
    const c2 = center(k, 32);
    const c3 = center(k, 48);
    const s0 = scale(k);
    const s1 = scale(k, 16);
    const s2 = scale(k, 32);
    const s3 = scale(k, 48);
    const b0 = shift(k);
    const b1 = shift(k, 16);
    const b2 = shift(k, 32);
    const b3 = shift(k, 48);
    for (let r: usize = 0, p = x + j, q = out + j; r < rows; r++, p += rowStride, q += rowStride) {
      v128.store(q, affine(v128.load(p), c0, s0, b0));
      v128.store(q, affine(v128.load(p, 16), c1, s1, b1), 16);
      v128.store(q, affine(v128.load(p, 32), c2, s2, b2), 32);
      v128.store(q, affine(v128.load(p, 48), c3, s3, b3), 48);
    }
  }
  for (; j + 16 <= bytes; j += 16) {
    const k = constants + j;
    const c = center(k);
    const s = scale(k);
    const b = shift(k);
    for (let r: usize = 0, p = x + j, q = out + j; r < rows; r++, p += rowStride, q += rowStride) {
      v128.store(q, affine(v128.load(p), c, s, b));
    }
  }
  for (; j < bytes; j += 4) {
    for (let r: usize = 0, p = x + j, q = out + j; r < rows; r++, p += rowStride, q += rowStride) one(p, q, constants + j);
  }
}

/** A row is `channels` runs of `length` elements; a run shares its constants. */
export function normalizeRuns(
  x: usize,
  _dy: usize,
  out: usize,
  rows: usize,
  rowStride: usize,
  channels: usize,
  channelStride: usize,
  length: usize,
  at: usize,
  _into: usize,
  _mask: usize,
  _cached: bool,
): void {
  const bytes = length * 4;
  for (; rows > 0; rows--, x += rowStride, out += rowStride) {
    let p = x;
    let q = out;
    const end = (at + channels) * 4;
    for (let k = at * 4; k < end; k += 4, p += channelStride, q += channelStride) {
      const c = v128.load32_splat(CENTER + k);
      const s = v128.load32_splat(SCALE + k);
      const b = v128.load32_splat(SHIFT + k);
      let j: usize = 0;
      for (; j + 64 <= bytes; j += 64) {
        v128.store(q + j, affine(v128.load(p + j), c, s, b));
        v128.store(q + j, affine(v128.load(p + j, 16), c, s, b), 16);
        v128.store(q + j, affine(v128.load(p + j, 32), c, s, b), 32);
        v128.store(q + j, affine(v128.load(p + j, 48), c, s, b), 48);
      }
      for (; j + 16 <= bytes; j += 16) v128.store(q + j, affine(v128.load(p + j), c, s, b));
      for (; j < bytes; j += 4) one(p + j, q + j, k);
    }
  }
}

function affine(x: v128, center: v128, scale: v128, shift: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.sub(x, center), scale), shift);
}

function one(x: usize, out: usize, constants: usize): void {
  store<f32>(out, (load<f32>(x) - load<f32>(CENTER + constants)) * load<f32>(SCALE + constants) + load<f32>(SHIFT + constants));
}

function center(constants: usize, offset: usize = 0): v128 {
  return v128.load(CENTER + constants + offset);
}

function scale(constants: usize, offset: usize = 0): v128 {
  return v128.load(SCALE + constants + offset);
}

function shift(constants: usize, offset: usize = 0): v128 {
  return v128.load(SHIFT + constants + offset);
}
