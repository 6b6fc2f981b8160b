import { expect, it } from "vitest";
import { FIXED_PAGES, instantiate, PAGE } from "../src/memory/compile.ts";
import { type Call, KernelMemory } from "../src/memory/kernel-memory.ts";
import { BFLOAT16, FLOAT16, GRADIENT, HEAP, MOMENTS, NORMALIZE, PROJECTIONS, RUNS } from "../src/memory/layout.generated.ts";
import { modules } from "./engines.ts";
import { generator } from "./numbers.ts";

const wasm = new WebAssembly.Memory({ initial: FIXED_PAGES + 8, maximum: FIXED_PAGES + 8 });
const memory = new KernelMemory(instantiate(modules.plain, wasm), wasm.buffer);
const bytes = new Uint8Array(wasm.buffer);
/** Where x, dy and out may lie, two pages each. */
const FROM = FIXED_PAGES * PAGE;

it("a call on half precision writes to its output alone, whatever its rows, units and strides are", () => {
  const random = generator(5);
  const integer = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1));
  const pick = <T>(values: readonly T[]): T => values[integer(0, values.length - 1)];
  for (let round = 0; round < 400; round++) {
    const kernel = pick([NORMALIZE, GRADIENT, MOMENTS, PROJECTIONS]);
    const runs = random() < 0.5;
    const rows = integer(1, 20);
    const length = pick([integer(1, 9), integer(10, 600), integer(4000, 4200), 8191]);
    const channels = runs ? pick([1, 2, 5, 700]) : 1;
    if (rows * channels * length > 40_000) continue;
    const channelStride = 2 * (length + integer(0, 3));
    const rowStride = channels * channelStride + 2 * integer(0, 3);
    if (rows * rowStride > 2 * PAGE - 64) continue;
    const places = { x: FROM + 2 * integer(0, 9), dy: FROM + 2 * PAGE + 2 * integer(0, 9), out: FROM + 4 * PAGE + 2 * integer(0, 9) };
    const call: Call = {
      ...memory.call,
      ...places,
      kernel: kernel + (runs ? RUNS : 0),
      dy: kernel === GRADIENT || kernel === PROJECTIONS ? places.dy : 0,
      out: kernel === GRADIENT || kernel === NORMALIZE ? places.out : 0,
      rows,
      rowStride,
      channels,
      channelStride,
      length,
      at: 0,
      into: 0,
      half: pick([FLOAT16, BFLOAT16]),
    };
    const patterns = new Uint16Array(wasm.buffer, HEAP & ~1);
    patterns.fill(0x3c01);
    const before = bytes.slice();
    Object.assign(memory.call, call);
    memory.run();
    // What the call may change: the fixed part of the memory, and its output.
    const expected = before;
    expected.set(bytes.subarray(0, HEAP));
    if (call.out !== 0) {
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < channels; c++) {
          const at = call.out + r * rowStride + c * channelStride;
          expected.set(bytes.subarray(at, at + 2 * length), at);
        }
      }
    }
    expect(Buffer.compare(bytes, expected), JSON.stringify(call)).toBe(0);
  }
});
