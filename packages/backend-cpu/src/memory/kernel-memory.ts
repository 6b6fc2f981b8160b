import { type Call, checkBounds, newCall, writeCall } from "./calls.ts";
import type { RunCall } from "./compile.ts";
import { LAYOUT } from "./module.generated.ts";
import type { Pool } from "./pool.ts";

/** Where kernels work and tensors may lie. */
export interface TensorMemory {
  /** The memory that holds most of these, with tiles for those that lie elsewhere. */
  find(x: Float32Array, second?: Float32Array | null, third?: Float32Array | null): KernelMemory;
  /** An array of zeros in kernel memory; null where there is no room. It stays where it is until it is released. */
  allocate(length: number): Float32Array | null;
  /** Frees what `allocate` gave; any other array is left alone. */
  release(data: Float32Array): void;
}

/**
 * Elements of a tile: 16 KB, which a first-level cache holds beside what is copied to it. Normalization of 65,536 elements takes
 * 0.21 ns for each with tiles of 4096, 0.31 with 8192, 0.25 with 1024.
 */
const TILE = LAYOUT.SEGMENT;

/**
 * A memory with kernels that work in it. Its first part is laid out as assembly/layout.ts says, with a view for each array there;
 * the rest, if there is any, holds tensors.
 */
export class KernelMemory {
  /** Set where threads share this memory. */
  readonly pool: Pool | null;
  /** How many elements a tile takes: whole segments of a run. No result depends on it. */
  readonly tile: number;
  readonly mean: Float32Array;
  readonly slope: Float32Array;
  readonly offset: Float32Array;
  readonly pull: Float32Array;
  readonly origin: Float64Array;
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly mask: Uint8Array;
  readonly tileX: Float32Array;
  readonly tileDy: Float32Array;
  /** Room for small tensors as a whole, to which several kernels come back; null in a memory for the tensors of others. */
  readonly stage: { readonly x: Float32Array; readonly dy: Float32Array } | null;
  /** To be filled in for the next `run` or `share`. */
  readonly call: Call = newCall();
  readonly #run: RunCall;
  readonly #record: Int32Array;
  readonly #buffers: Set<ArrayBufferLike>;
  #bytes: number;

  /** `tile` and `stage` are numbers of elements; what is above the layout's heap is the stage's where there is one. */
  constructor(run: RunCall, buffer: ArrayBufferLike, pool: Pool | null = null, tile: number = TILE, stage: number = 0) {
    const { COLUMNS, SUMS } = LAYOUT;
    this.pool = pool;
    this.tile = tile;
    this.mean = new Float32Array(buffer, LAYOUT.MEAN, COLUMNS);
    this.slope = new Float32Array(buffer, LAYOUT.SLOPE, COLUMNS);
    this.offset = new Float32Array(buffer, LAYOUT.OFFSET, COLUMNS);
    this.pull = new Float32Array(buffer, LAYOUT.PULL, COLUMNS);
    this.origin = new Float64Array(buffer, LAYOUT.ORIGIN, COLUMNS);
    this.first = new Float64Array(buffer, LAYOUT.FIRST, SUMS);
    this.second = new Float64Array(buffer, LAYOUT.SECOND, SUMS);
    this.mask = new Uint8Array(buffer, LAYOUT.MASK, LAYOUT.TILE);
    this.tileX = new Float32Array(buffer, LAYOUT.TILE_X, LAYOUT.TILE);
    this.tileDy = new Float32Array(buffer, LAYOUT.TILE_DY, LAYOUT.TILE);
    this.stage =
      stage === 0
        ? null
        : { x: new Float32Array(buffer, LAYOUT.HEAP, stage), dy: new Float32Array(buffer, LAYOUT.HEAP + 4 * stage, stage) };
    this.#run = run;
    this.#record = new Int32Array(buffer, LAYOUT.CALL, LAYOUT.CALL_BYTES / 4);
    this.#buffers = new Set([buffer]);
    this.#bytes = buffer.byteLength;
  }

  /** Whether an array lies in this memory. */
  holds(data: Float32Array | null): boolean {
    return data !== null && this.#buffers.has(data.buffer);
  }

  /** A shared memory that grew has a new buffer, and its old ones are parts of it. */
  addBuffer(buffer: ArrayBufferLike): void {
    this.#buffers.add(buffer);
    this.#bytes = buffer.byteLength;
  }

  /**
   * Makes the call that `call` describes, and gives its result.
   *
   * @throws RangeError before anything is done, where the call goes out of bounds.
   */
  run(): number {
    checkBounds(this.call, this.#bytes);
    writeCall(this.#record, 0, this.call);
    return this.#run(LAYOUT.CALL);
  }

  /**
   * Leaves the call that `call` describes to the threads, until `pool.run`.
   *
   * @throws RangeError before anything is done, where the call goes out of bounds.
   */
  share(pool: Pool): void {
    checkBounds(this.call, this.#bytes);
    pool.add(this.call);
  }
}
