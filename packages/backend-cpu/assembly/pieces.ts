import { Call } from "./call";
import { narrow, widen } from "./half";
import { CALL_BYTES, GRADIENT, MASKED, NORMALIZE, PIECE, PROJECTIONS, RUNS } from "./layout";

// A call on tensors of half precision is made piece by piece: each is widened to float32 in the scratch of the thread, the kernel runs
// on it while it lies in a first-level cache, and what it wrote is narrowed. A piece is made of `rows`, of units of a row (columns, or
// runs), and of elements of a unit. It ends where a segment of a run ends, so that sums are the same bits as on float32 tensors.

/** The first piece, a call on scratch, whose cursor stands before it. */
export function firstPiece(call: Call, scratch: usize): Call {
  const piece = changetype<Call>(scratch);
  piece.kernel = call.kernel;
  piece.half = 0;
  piece.x = scratch + CALL_BYTES;
  piece.dy = piece.x + PIECE * 4;
  piece.out = work(call) === NORMALIZE ? piece.x : piece.dy;
  piece.cached = 1;
  setPlace(piece, call, 0, 0, 0);
  return piece;
}

/** Goes on to the next; false after the last. */
export function nextPiece(piece: Call, call: Call): bool {
  const runs = hasRuns(call);
  let row = piece.row;
  let unit = unitOf(piece, call);
  let start = piece.start + piece.length;
  if (!runs || start >= call.length) {
    start = 0;
    unit += runs ? piece.channels : piece.length;
  }
  if (unit >= units(call)) {
    unit = 0;
    row += piece.rows;
  }
  if (row >= call.rows) return false;
  setPlace(piece, call, row, unit, start);
  return true;
}

/** Widens what the kernel reads. */
export function loadPiece(piece: Call, call: Call): void {
  convert(piece, call, call.x, piece.x, true);
  const kind = work(call);
  if (kind === PROJECTIONS || kind === GRADIENT) convert(piece, call, call.dy, piece.dy, true);
}

/** Narrows what it wrote. */
export function storePiece(piece: Call, call: Call): void {
  const kind = work(call);
  if (kind === NORMALIZE || kind === GRADIENT) convert(piece, call, call.out, piece.out, false);
}

/**
 * Begins a piece there, as large as there is room for: of columns as many as leave room for eight rows, which share a load of their
 * sums; of runs as many as are whole, or a part of one.
 */
function setPlace(piece: Call, call: Call, row: usize, unit: usize, start: usize): void {
  const runs = hasRuns(call);
  const width: usize = runs ? min(call.length - start, PIECE) : 1;
  const isPart = runs && width < call.length;
  const most: usize = isPart ? 1 : min(units(call), PIECE / (runs ? width : max(min(call.rows, 8), 1)));
  const count = min(units(call) - unit, most);
  piece.rows = isPart ? 1 : min(call.rows - row, PIECE / (most * width));
  piece.rowStride = count * width * 4;
  piece.channels = runs ? count : 1;
  piece.channelStride = width * 4;
  piece.length = runs ? width : count;
  piece.at = call.at + unit;
  piece.into = call.into + unit;
  piece.mask = call.mask + row * (runs ? call.length : 1) + start;
  piece.row = row;
  piece.start = start;
}

/** Between a piece's place in a tensor and scratch, in stretches as long as they are contiguous. */
function convert(piece: Call, call: Call, tensor: usize, scratch: usize, toScratch: bool): void {
  const unitStride: usize = hasRuns(call) ? call.channelStride : 2;
  let rows = piece.rows;
  let stretches = piece.channels;
  let length = piece.length;
  if (stretches === 1 || call.channelStride === length * 2) {
    length *= stretches;
    stretches = 1;
    if (call.rowStride === length * 2) {
      length *= rows;
      rows = 1;
    }
  }
  // Of x and dy the one that is not written to; nobody needs it any more.
  const rest = piece.out === piece.x ? piece.dy : piece.x;
  let row = tensor + piece.row * call.rowStride + unitOf(piece, call) * unitStride + piece.start * 2;
  for (; rows > 0; rows--, row += call.rowStride) {
    let at = row;
    for (let stretch = stretches; stretch > 0; stretch--, at += unitStride, scratch += length * 4) {
      if (toScratch) widen(call.half, at, scratch, length);
      else narrow(call.half, scratch, at, length, rest);
    }
  }
}

function hasRuns(call: Call): bool {
  return (call.kernel & RUNS) !== 0;
}

/** The work of a kernel, by the numbers of the layout. */
function work(call: Call): u32 {
  return call.kernel & ~(RUNS | MASKED);
}

/** Where a piece begins among the units of a row. */
export function unitOf(piece: Call, call: Call): usize {
  return piece.at - call.at;
}

/** Units of a row: runs, or columns. */
function units(call: Call): usize {
  return hasRuns(call) ? call.channels : call.length;
}
