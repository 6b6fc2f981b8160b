/**
 * One call of a kernel over a rectangle of rows: a record of 16 int32 in kernel memory, which the host writes
 * (src/memory/kernel-memory.ts) and whoever makes the call reads. Addresses and strides are in bytes.
 *
 * (It is imported without `type`, which AssemblyScript 0.28 does not know.)
 */
@unmanaged
export class Call {
  /** Which kernel: `4 * work + 2 * runs + masked`, by the numbers in layout.ts. */
  kernel: u32;
  x: usize;
  /** 0 where there is none, as for `out`. */
  dy: usize;
  out: usize;
  rows: usize;
  rowStride: usize;
  /** Runs in a row; 1 where a row is made of columns. */
  channels: usize;
  channelStride: usize;
  /** Elements of a run, or columns of a row. */
  length: usize;
  /** Where the first column stands among the constants. */
  at: usize;
  /** Where the sums of the first column go. */
  into: usize;
  /** The rectangle's part of a mask: a byte a row for columns, `length` bytes a row for runs. */
  mask: usize;
  /** 1 where the data lies in a cache. */
  cached: u32;
  /** What the elements of x, dy and out are: 0 for float32, FLOAT16 or BFLOAT16. */
  half: u32;
}
