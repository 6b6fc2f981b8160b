// The numbers that the kernels and their host agree on. The build copies them into the generated module, so that the host has
// them from here and from nowhere else.

// ------------------------------------------------------------------------------------------------------------- kernels

// A kernel is its work, plus RUNS where a row is made of runs and not of columns, plus MASKED where there is a mask.
export const RUNS: u32 = 2;
export const MASKED: u32 = 1;
export const NORMALIZE: u32 = 0;
export const MOMENTS: u32 = 4;
export const PROJECTIONS: u32 = 8;
export const GRADIENT: u32 = 12;
export const MERGE: u32 = 16;
export const NON_FINITE: u32 = 20;

/** What elements are that are not float32. */
export const FLOAT16: u32 = 1;
export const BFLOAT16: u32 = 2;

// ------------------------------------------------------------------------------------------------------- the fixed part

// The fixed part of every kernel memory: what the kernels read besides tensors, and where they leave their sums.
// A "column" is one entry of the arrays below: a channel, or one place of a pattern of channels that repeats.

/** How many columns a kernel can take at once; wider tensors go in blocks. */
export const COLUMNS: usize = 8192;

/** How many sums there is room for: columns times chunks. */
export const SUMS: usize = 65536;

/** A run is summed in parts of this many elements, so that no sum depends on how much of a run is in memory at once. */
export const SEGMENT: usize = 4096;

/** How many float32 elements there is room for in a tile. */
export const TILE: usize = SEGMENT * 2;

/** How many calls the table of a pool of threads holds, of CALL_BYTES each. */
export const CALLS: usize = 1024;
export const CALL_BYTES: usize = 64;

/** How many elements of half precision a thread widens at once: with as many of dy, 32 KB. */
export const PIECE: usize = SEGMENT;

/** float32 [COLUMNS] each, the constants of (x - mean) * slope + offset, and the gradient's factor of x - mean. */
export const MEAN: usize = 1024;
export const SLOPE: usize = MEAN + COLUMNS * 4;
export const OFFSET: usize = SLOPE + COLUMNS * 4;
export const PULL: usize = OFFSET + COLUMNS * 4;

/** float64 [COLUMNS]: what sums subtract from x. */
export const ORIGIN: usize = PULL + COLUMNS * 4;

/** float64 [SUMS] each. */
export const FIRST: usize = ORIGIN + COLUMNS * 8;
export const SECOND: usize = FIRST + SUMS * 8;

/** uint8 [TILE]: the part of a mask that belongs to the elements at hand. */
export const MASK: usize = SECOND + SUMS * 8;

/** float32 [TILE] each: elements of arrays that lie elsewhere. */
export const TILE_X: usize = MASK + TILE;
export const TILE_DY: usize = TILE_X + TILE * 4;

/** The call that the host makes by itself; the counters of a pool of threads, int32 [256]; and the calls that it shares out. */
export const CALL: usize = TILE_DY + TILE * 4;
export const COUNTERS: usize = CALL + CALL_BYTES;
export const TABLE: usize = COUNTERS + 1024;

/** float32 [PIECE], and a cache line that the last vector of a row may reach into. */
export const PIECE_BYTES: usize = PIECE * 4 + 64;

/** What a thread works in with half precision: the call of a piece, and PIECE_BYTES each for x and dy. Here, the host's. */
export const SCRATCH: usize = TABLE + CALLS * CALL_BYTES;
export const SCRATCH_BYTES: usize = CALL_BYTES + 2 * PIECE_BYTES;

/** Where tensors may begin. */
export const HEAP: usize = SCRATCH + SCRATCH_BYTES;
