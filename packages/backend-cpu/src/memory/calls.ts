import { LAYOUT } from "./module.generated.ts";

const { RUNS, MASKED, NORMALIZE, MOMENTS, PROJECTIONS, GRADIENT, MERGE, COLUMNS, SUMS, TILE, MASK, TILE_X } = LAYOUT;

/** The int32 of one record. */
const WORDS: number = LAYOUT.CALL_BYTES / 4;

/**
 * One call of a kernel over a rectangle of a tensor, field by field what assembly/call.ts reads. Addresses and strides are in
 * bytes; what a kernel does not read is 0. It is filled in anew for every call, so that a call leaves nothing behind.
 */
export interface Call {
  /** `work + RUNS + MASKED`, by the numbers of the layout. */
  kernel: number;
  x: number;
  dy: number;
  out: number;
  rows: number;
  rowStride: number;
  /** Runs in a row; 1 where a row is made of columns. */
  channels: number;
  channelStride: number;
  /** Elements of a run, or columns of a row. */
  length: number;
  /** Where the first column stands among the constants, and where its sums go. */
  at: number;
  into: number;
  /** The address of the rectangle's part of a mask. */
  mask: number;
  /** 1 where the data lies in a cache. */
  cached: number;
}

export function newCall(): Call {
  return {
    kernel: 0,
    x: 0,
    dy: 0,
    out: 0,
    rows: 1,
    rowStride: 0,
    channels: 1,
    channelStride: 0,
    length: 0,
    at: 0,
    into: 0,
    mask: 0,
    cached: 0,
  };
}

/** Writes the record of a call, as word `16 * index` and those that follow. */
export function writeCall(records: Int32Array, index: number, call: Call): void {
  const word = index * WORDS;
  records[word] = call.kernel;
  records[word + 1] = call.x;
  records[word + 2] = call.dy;
  records[word + 3] = call.out;
  records[word + 4] = call.rows;
  records[word + 5] = call.rowStride;
  records[word + 6] = call.channels;
  records[word + 7] = call.channelStride;
  records[word + 8] = call.length;
  records[word + 9] = call.at;
  records[word + 10] = call.into;
  records[word + 11] = call.mask;
  records[word + 12] = call.cached;
}

/**
 * Refuses a call that would read or write outside of what is its own in a memory of so many bytes. The kernels themselves check
 * nothing, and most of what lies around is somebody else's tensor.
 *
 * @throws RangeError
 */
export function checkBounds(call: Call, bytes: number): void {
  const { kernel, rows, length, channels, mask } = call;
  if (kernel === MERGE) {
    if (!(rows * length <= SUMS)) throw outOfBounds("sums", call);
    return;
  }
  // The last byte that a rectangle reaches, from its first on.
  const span = (rows - 1) * call.rowStride + (channels - 1) * call.channelStride + 4 * length;
  const work = kernel & ~(RUNS | MASKED);
  if (!fits(call.x, span, bytes)) throw outOfBounds("x", call);
  if ((work === PROJECTIONS || work === GRADIENT) && !fits(call.dy, span, bytes)) throw outOfBounds("dy", call);
  if ((work === NORMALIZE || work === GRADIENT) && !fits(call.out, span, bytes)) throw outOfBounds("out", call);
  const columns = (kernel & RUNS) === 0 ? length : channels;
  if (work <= GRADIENT && !(call.at + columns <= COLUMNS)) throw outOfBounds("constants", call);
  if ((work === MOMENTS || work === PROJECTIONS) && !(call.into + columns <= SUMS)) throw outOfBounds("sums", call);
  if ((kernel & MASKED) === 0) return;
  const maskBytes = (kernel & RUNS) === 0 ? rows : rows * length;
  if (!(mask >= MASK && mask + maskBytes <= MASK + TILE)) throw outOfBounds("the mask", call);
}

function fits(address: number, span: number, bytes: number): boolean {
  return address >= TILE_X && address + span <= bytes;
}

function outOfBounds(what: string, call: Call): RangeError {
  return new RangeError(`A call of a kernel goes out of bounds in ${what}: ${JSON.stringify(call)}`);
}
