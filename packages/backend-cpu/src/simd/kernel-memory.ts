import type { Pool } from "../threads/pool.ts";
import { LAYOUT } from "./module.generated.ts";

/**
 * One call of a kernel over a rectangle of `[rows, columns]`; addresses and strides are in bytes. `at` is the first column's
 * place among the constants, `into` that of its sums, `mask` the address of the rectangle's part of a mask. `cached` is 1
 * where the data lies in a cache.
 */
export type Kernel = (
  x: number,
  dy: number,
  out: number,
  rows: number,
  rowStride: number,
  channels: number,
  channelStride: number,
  length: number,
  at: number,
  into: number,
  mask: number,
  cached: number,
) => void;

export type KernelName =
  | "normalizeColumns"
  | "normalizeRuns"
  | "momentsColumns"
  | "momentsColumnsMasked"
  | "momentsRuns"
  | "momentsRunsMasked"
  | "projectionsColumns"
  | "projectionsRuns"
  | "gradientColumns"
  | "gradientColumnsMasked"
  | "gradientRuns"
  | "gradientRunsMasked";

export type KernelExports = Readonly<Record<KernelName, Kernel>> & {
  merge(columns: number, chunks: number): void;
  findNonFinite(x: number, length: number): number;
};

/** What a wasm memory counts in. */
export const PAGE: number = 2 ** 16;

/** The pages of the fixed part. */
export const FIXED_PAGES: number = Math.ceil(LAYOUT.HEAP / PAGE);

/**
 * A memory with kernels that work in it. Its first part is laid out as assembly/layout.ts says, with a view for each array there;
 * the rest, if there is any, holds tensors.
 */
export class KernelMemory {
  readonly kernels: KernelExports;
  /** Set where threads share this memory. */
  readonly pool: Pool | null;
  /** How many elements a tile takes: at least a segment of a run. No result depends on it. */
  readonly tile: number;
  readonly center: Float32Array;
  readonly scale: Float32Array;
  readonly shift: Float32Array;
  readonly slope: Float32Array;
  readonly origin: Float64Array;
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly mask: Uint8Array;
  readonly tileX: Float32Array;
  readonly tileDy: Float32Array;
  readonly #buffers: Set<ArrayBufferLike>;

  constructor(kernels: KernelExports, buffer: ArrayBufferLike, pool: Pool | null = null, tile: number = LAYOUT.TILE) {
    const { COLUMNS, SUMS, TILE } = LAYOUT;
    this.kernels = kernels;
    this.pool = pool;
    this.tile = tile;
    this.center = new Float32Array(buffer, LAYOUT.CENTER, COLUMNS);
    this.scale = new Float32Array(buffer, LAYOUT.SCALE, COLUMNS);
    this.shift = new Float32Array(buffer, LAYOUT.SHIFT, COLUMNS);
    this.slope = new Float32Array(buffer, LAYOUT.SLOPE, COLUMNS);
    this.origin = new Float64Array(buffer, LAYOUT.ORIGIN, COLUMNS);
    this.first = new Float64Array(buffer, LAYOUT.FIRST, SUMS);
    this.second = new Float64Array(buffer, LAYOUT.SECOND, SUMS);
    this.mask = new Uint8Array(buffer, LAYOUT.MASK, TILE);
    this.tileX = new Float32Array(buffer, LAYOUT.TILE_X, TILE);
    this.tileDy = new Float32Array(buffer, LAYOUT.TILE_DY, TILE);
    this.#buffers = new Set([buffer]);
  }

  /** Whether an array lies in this memory. */
  holds(data: Float32Array): boolean {
    return this.#buffers.has(data.buffer);
  }

  /** A shared memory that grew has a new buffer, and its old ones are parts of it. */
  addBuffer(buffer: ArrayBufferLike): void {
    this.#buffers.add(buffer);
  }
}

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): KernelExports {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as KernelExports;
}
