import type { RunCall } from "./compile.ts";
import type { Elements } from "./elements.ts";
import {
  CALL,
  CALL_BYTES,
  COLUMNS,
  FIRST,
  GRADIENT,
  HEAP,
  MASK,
  MASKED,
  MEAN,
  MERGE,
  MOMENTS,
  NORMALIZE,
  OFFSET,
  ORIGIN,
  PROJECTIONS,
  PULL,
  RUNS,
  SCRATCH,
  SECOND,
  SEGMENT,
  SLOPE,
  SUMS,
  TILE,
  TILE_DY,
  TILE_X,
} from "./layout.generated.ts";
import type { Pool } from "./pool.ts";

/** Where kernels work and tensors may lie. */
export interface TensorMemory {
  /** The memory that holds most of these, with tiles for those that lie elsewhere. */
  find(x: Elements, second?: Elements | null, third?: Elements | null): KernelMemory;
  /** An array of zeros in kernel memory; null where there is no room. It stays where it is until it is released. */
  allocate<Data extends Elements>(length: number, type: ElementsType<Data>): Data | null;
  /** Frees what `allocate` gave; any other array is left alone. */
  release(data: Elements): void;
}

/** Float32Array or Uint16Array. */
export interface ElementsType<Data extends Elements> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): Data;
}

/** Where elements of arrays that lie elsewhere are copied to. */
export interface Copies {
  readonly x: Elements;
  readonly dy: Elements;
}

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
  /** What the elements are: FLOAT16, BFLOAT16, or 0 for float32. */
  half: number;
}

/**
 * Elements of a tile: 16 KB, which a first-level cache holds beside what is copied to it. Normalization of 65,536 elements takes
 * 0.21 ns for each with tiles of 4096, 0.31 with 8192, 0.25 with 1024.
 */
const DEFAULT_TILE: number = SEGMENT;

const NOTHING: Call = {
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
  half: 0,
};

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
  readonly #tiles: Copies;
  readonly #halfTiles: Copies;
  readonly #stage: Copies | null;
  readonly #halfStage: Copies | null;
  /** To be filled in for the next `run` or `share`. */
  readonly call: Call = { ...NOTHING };
  readonly #run: RunCall;
  readonly #record: Int32Array;
  readonly #buffers: Set<ArrayBufferLike>;
  #bytes: number;

  /** `tile` and `stage` are numbers of elements; what is above the layout's heap is the stage's where there is one. */
  constructor(run: RunCall, buffer: ArrayBufferLike, pool: Pool | null = null, tile: number = DEFAULT_TILE, stage: number = 0) {
    this.pool = pool;
    this.tile = tile;
    this.mean = new Float32Array(buffer, MEAN, COLUMNS);
    this.slope = new Float32Array(buffer, SLOPE, COLUMNS);
    this.offset = new Float32Array(buffer, OFFSET, COLUMNS);
    this.pull = new Float32Array(buffer, PULL, COLUMNS);
    this.origin = new Float64Array(buffer, ORIGIN, COLUMNS);
    this.first = new Float64Array(buffer, FIRST, SUMS);
    this.second = new Float64Array(buffer, SECOND, SUMS);
    this.mask = new Uint8Array(buffer, MASK, TILE);
    const copies = (type: ElementsType<Elements>, x: number, dy: number, length: number): Copies => ({
      x: new type(buffer, x, length),
      dy: new type(buffer, dy, length),
    });
    this.#tiles = copies(Float32Array, TILE_X, TILE_DY, TILE);
    this.#halfTiles = copies(Uint16Array, TILE_X, TILE_DY, TILE);
    this.#stage = stage === 0 ? null : copies(Float32Array, HEAP, HEAP + 4 * stage, stage);
    this.#halfStage = stage === 0 ? null : copies(Uint16Array, HEAP, HEAP + 4 * stage, stage);
    this.#run = run;
    this.#record = new Int32Array(buffer, CALL, CALL_BYTES / 4);
    this.#buffers = new Set([buffer]);
    this.#bytes = buffer.byteLength;
  }

  /** The tiles for elements like these. */
  tiles(data: Elements): Copies {
    return data.BYTES_PER_ELEMENT === 2 ? this.#halfTiles : this.#tiles;
  }

  /** Room for small tensors as a whole, to which several kernels come back; null in a memory for the tensors of others. */
  stage(data: Elements): Copies | null {
    return data.BYTES_PER_ELEMENT === 2 ? this.#halfStage : this.#stage;
  }

  /** Whether an array lies in this memory. */
  holds(data: Elements | null): boolean {
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
    this.#writeCall();
    return this.#run(CALL, SCRATCH);
  }

  /**
   * Leaves the call that `call` describes to the threads, until `pool.run`.
   *
   * @throws RangeError before anything is done, where the call goes out of bounds.
   */
  share(pool: Pool): void {
    this.#writeCall();
    pool.add();
  }

  #writeCall(): void {
    const record = this.#record;
    const { call } = this;
    checkBounds(call, this.#bytes);
    record[0] = call.kernel;
    record[1] = call.x;
    record[2] = call.dy;
    record[3] = call.out;
    record[4] = call.rows;
    record[5] = call.rowStride;
    record[6] = call.channels;
    record[7] = call.channelStride;
    record[8] = call.length;
    record[9] = call.at;
    record[10] = call.into;
    record[11] = call.mask;
    record[12] = call.cached;
    record[13] = call.half;
  }
}

/**
 * Refuses a call that would read or write outside of what is its own in a memory of so many bytes. The kernels themselves check
 * nothing, and most of what lies around is somebody else's tensor.
 *
 * @throws RangeError
 */
function checkBounds(call: Call, bytes: number): void {
  const { kernel, rows, length, channels, mask } = call;
  if (kernel === MERGE) {
    if (!(rows * length <= SUMS)) throw outOfBounds("sums", call);
    return;
  }
  // The last byte that a rectangle reaches, from its first on. Of half precision whole vectors of eight are read.
  const span = (rows - 1) * call.rowStride + (channels - 1) * call.channelStride + (call.half === 0 ? 4 * length : 2 * length + 14);
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
