import { describe, expect, it } from "vitest";
import { FIXED_PAGES, instantiate, PAGE } from "../src/memory/compile.ts";
import { type Call, KernelMemory } from "../src/memory/kernel-memory.ts";
import {
  COLUMNS,
  GRADIENT,
  HEAP,
  MASK,
  MASKED,
  MEAN,
  MERGE,
  MOMENTS,
  NON_FINITE,
  NORMALIZE,
  PROJECTIONS,
  RUNS,
  SUMS,
  TILE,
  TILE_X,
} from "../src/memory/layout.generated.ts";
import { modules } from "./engines.ts";

const pages = FIXED_PAGES + 1;
const wasm = new WebAssembly.Memory({ initial: pages, maximum: pages });
const memory = new KernelMemory(instantiate(modules.plain, wasm), wasm.buffer);
const END = pages * PAGE;

const blank: Call = { ...memory.call };
const run = (call: Partial<Call>): number => {
  Object.assign(memory.call, blank, call);
  return memory.run();
};

/** Four rows of 8 columns, or of 2 runs of 4: 128 bytes. */
const columns = { rows: 4, rowStride: 32, length: 8 };
const runs = { rows: 4, rowStride: 32, channels: 2, channelStride: 16, length: 4 };
const at = { x: HEAP, dy: HEAP + 128, out: HEAP + 256, mask: MASK };
const last = END - 128;

const allowed: readonly (readonly [string, Partial<Call>])[] = [
  ["the last bytes of the memory, in columns", { ...columns, kernel: GRADIENT, ...at, x: last, dy: last, out: last }],
  ["the last bytes of the memory, in runs", { ...runs, kernel: GRADIENT + RUNS, ...at, x: last, dy: last, out: last }],
  ["the last constants", { ...columns, kernel: NORMALIZE, ...at, at: COLUMNS - 8 }],
  ["the last sums", { ...columns, kernel: MOMENTS, ...at, into: SUMS - 8 }],
  ["the end of the mask, a byte a row", { ...columns, kernel: MOMENTS + MASKED, ...at, mask: MASK + TILE - 4 }],
  ["the end of the mask, a byte an element", { ...runs, kernel: MOMENTS + RUNS + MASKED, ...at, mask: MASK + TILE - 16 }],
  ["all sums", { kernel: MERGE, rows: 64, length: SUMS / 64 }],
  ["the last elements", { kernel: NON_FINITE, x: last, length: 32 }],
];

const refused: readonly (readonly [string, string, Partial<Call>])[] = [
  ["x", "x beyond the memory, in columns", { ...columns, kernel: MOMENTS, ...at, x: last + 4 }],
  ["x", "x beyond the memory, in runs", { ...runs, kernel: MOMENTS + RUNS, ...at, x: last + 4 }],
  ["x", "x before the tiles", { ...columns, kernel: NORMALIZE, ...at, x: TILE_X - 4 }],
  ["x", "x at no number", { ...columns, kernel: NORMALIZE, ...at, x: Number.NaN }],
  ["x", "so many rows that addresses wrap", { ...columns, kernel: NORMALIZE, ...at, rows: 2 ** 27 + 4 }],
  ["x", "a search beyond the memory", { kernel: NON_FINITE, x: last, length: 33 }],
  ["dy", "dy beyond the memory", { ...columns, kernel: PROJECTIONS, ...at, dy: last + 4 }],
  ["dy", "a gradient without dy", { ...runs, kernel: GRADIENT + RUNS, ...at, dy: 0 }],
  ["out", "out beyond the memory", { ...columns, kernel: NORMALIZE, ...at, out: last + 4 }],
  ["out", "out over the constants", { ...columns, kernel: GRADIENT, ...at, out: MEAN }],
  ["constants", "columns that have no constants", { ...columns, kernel: NORMALIZE, ...at, at: COLUMNS - 7 }],
  ["constants", "runs that have no constants", { ...runs, kernel: GRADIENT + RUNS, ...at, at: COLUMNS - 1 }],
  ["sums", "sums beyond their room", { ...columns, kernel: MOMENTS, ...at, into: SUMS - 7 }],
  ["sums", "sums of runs beyond their room", { ...runs, kernel: PROJECTIONS + RUNS, ...at, into: SUMS - 1 }],
  ["sums", "more sums to merge than there are", { kernel: MERGE, rows: 65, length: SUMS / 64 }],
  ["the mask", "a mask beyond its room, a byte a row", { ...columns, kernel: MOMENTS + MASKED, ...at, mask: MASK + TILE - 3 }],
  ["the mask", "a mask beyond its room, a byte an element", { ...runs, kernel: GRADIENT + RUNS + MASKED, ...at, mask: MASK + TILE - 15 }],
  ["the mask", "no mask", { ...columns, kernel: GRADIENT + MASKED, ...at, mask: 0 }],
];

describe("a call of a kernel", () => {
  for (const [what, call] of allowed) {
    it(`may reach ${what}`, () => {
      expect(() => run(call)).not.toThrow();
    });
  }

  for (const [where, what, call] of refused) {
    it(`is refused with ${what}, before it writes anything`, () => {
      const bytes = new Uint8Array(wasm.buffer);
      const before = bytes.slice();
      expect(() => run(call)).toThrow(new RegExp(`^A call of a kernel goes out of bounds in ${where}: `));
      expect(Buffer.compare(before, bytes)).toBe(0);
    });
  }

  it("leaves the memory usable after one that was refused", () => {
    const numbers = new Float32Array(wasm.buffer, HEAP, 3);
    numbers.set([1, 2, Number.NaN]);
    expect(() => run({ kernel: NON_FINITE, x: END, length: 1 })).toThrow(RangeError);
    expect(run({ kernel: NON_FINITE, x: HEAP, length: 3 })).toBe(2);
  });
});
