import { Call } from "./call";
import { runOnFloat32 } from "./float32";
import { narrow, widen } from "./half";
import { CALL_BYTES, PIECE, PIECE_BYTES, RUNS } from "./layout";

/**
 * Makes a call on tensors of half precision piece by piece: each is widened to float32 in the scratch of the thread, the kernel runs on
 * it while it lies in a first-level cache, and what it wrote is narrowed.
 *
 * A piece has some rows; some units of a row, which are columns or runs; and `length` elements of each unit. Of columns it has as many as
 * leave room for eight rows, which share a load of their sums; of runs as many as are whole, or a part of one that ends where a
 * segment does, so that sums are the same bits as on float32 tensors.
 */
export function runInPieces(call: Call, scratch: usize): i32 {
  const runs = (call.kernel & RUNS) !== 0;
  const units: usize = runs ? call.channels : call.length;
  const length: usize = runs ? call.length : 1;
  const isWhole = length <= PIECE;
  const mostUnits: usize = isWhole ? min(units, PIECE / (runs ? length : max(min(call.rows, 8), 1))) : 1;
  const mostRows: usize = isWhole ? PIECE / (mostUnits * length) : 1;
  const piece = changetype<Call>(scratch);
  piece.kernel = call.kernel;
  piece.x = scratch + CALL_BYTES;
  piece.dy = piece.x + PIECE_BYTES;
  piece.out = call.dy ? piece.dy : piece.x;
  piece.cached = 1;
  for (let row: usize = 0; row < call.rows; row += mostRows) {
    for (let unit: usize = 0; unit < units; unit += mostUnits) {
      for (let start: usize = 0; start < length; start += PIECE) {
        const width = min(length - start, PIECE);
        const count = min(units - unit, mostUnits);
        piece.rows = min(call.rows - row, mostRows);
        piece.rowStride = count * width * 4;
        piece.channels = runs ? count : 1;
        piece.channelStride = width * 4;
        piece.length = runs ? width : count;
        piece.at = call.at + unit;
        piece.into = call.into + unit;
        piece.mask = call.mask + row * (runs ? length : 1) + start;
        const offset = row * call.rowStride + unit * (runs ? call.channelStride : 2) + start * 2;
        convert(piece, call, call.x + offset, piece.x, true);
        if (call.dy) convert(piece, call, call.dy + offset, piece.dy, true);
        const found = runOnFloat32(piece);
        if (found >= 0) return unit + found;
        if (call.out) convert(piece, call, call.out + offset, piece.out, false);
      }
    }
  }
  return -1;
}

/** Between a piece's place in a tensor and scratch, in stretches as long as they are contiguous. */
function convert(piece: Call, call: Call, tensor: usize, scratch: usize, toScratch: bool): void {
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
  for (; rows > 0; rows--, tensor += call.rowStride) {
    for (let k: usize = 0; k < stretches; k++, scratch += length * 4) {
      const at = tensor + k * call.channelStride;
      if (toScratch) widen(call.half, at, scratch, length);
      else narrow(call.half, scratch, at, length, rest);
    }
  }
}
