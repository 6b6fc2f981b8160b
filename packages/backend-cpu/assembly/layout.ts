// The fixed part of every kernel memory: what the kernels read besides tensors, and where they leave their sums. The build copies
// these numbers into the generated module, so that the host has them from here and from nowhere else.
//
// A "column" is one entry of the arrays below: a channel, or one place of a pattern of channels that repeats.

/** How many columns a kernel can take at once; wider tensors go in blocks. */
export const COLUMNS: usize = 8192;

/** How many sums there is room for: columns times chunks. */
export const SUMS: usize = 65536;

/** How many float32 elements a tile holds. */
export const TILE: usize = 16384;

/** A run is summed in parts of this many elements, so that no sum depends on how much of a run is in memory at once. */
export const SEGMENT: usize = 4096;

/** How many calls a pool of threads takes at once, of 16 int32 each. */
export const CALLS: usize = 1024;

/** float32 [COLUMNS] each: (x - center) * scale + shift, and the factor of dy in the gradient. */
export const CENTER: usize = 1024;
export const SCALE: usize = CENTER + COLUMNS * 4;
export const SHIFT: usize = SCALE + COLUMNS * 4;
export const SLOPE: usize = SHIFT + COLUMNS * 4;

/** float64 [COLUMNS]: what sums subtract from x. */
export const ORIGIN: usize = SLOPE + COLUMNS * 4;

/** float64 [SUMS] each. */
export const FIRST: usize = ORIGIN + COLUMNS * 8;
export const SECOND: usize = FIRST + SUMS * 8;

/** uint8 [TILE]: the part of a mask that belongs to the elements at hand. */
export const MASK: usize = SECOND + SUMS * 8;

/** float32 [TILE] each: elements of arrays that lie elsewhere. */
export const TILE_X: usize = MASK + TILE;
export const TILE_DY: usize = TILE_X + TILE * 4;

/** int32: the state of a pool of threads, and its table of calls. */
export const POOL: usize = TILE_DY + TILE * 4;
export const TABLE: usize = POOL + 1024;

/** Where tensors may begin. */
export const HEAP: usize = TABLE + CALLS * 64;
