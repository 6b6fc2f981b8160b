import { afterEach, describe, expect, it, vi } from "vitest";
import { createBackend } from "../src/index.ts";
import { uninitializedFloats } from "../src/memory/uninitialized.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("an array for a result", () => {
  it("has memory of its own, all of it", () => {
    const [a, b] = [uninitializedFloats(5000), uninitializedFloats(5000)];
    for (const each of [a, b]) {
      expect(each).toHaveLength(5000);
      expect(each.buffer.byteLength).toBe(20_000);
    }
    expect(a.buffer).not.toBe(b.buffer);
  });

  it.each([
    ["no Buffer", undefined],
    ["a Buffer without such memory", {}],
    ["a Buffer that gives parts of a pool", { allocUnsafeSlow: (bytes: number) => new Uint8Array(new ArrayBuffer(bytes + 8), 8, bytes) }],
    [
      "a Buffer that gives the start of a pool",
      { allocUnsafeSlow: (bytes: number) => new Uint8Array(new ArrayBuffer(bytes + 8), 0, bytes) },
    ],
  ])("has it also where there is %s", (_, buffer) => {
    vi.stubGlobal("Buffer", buffer);
    const elements = uninitializedFloats(5000);
    vi.unstubAllGlobals();
    expect(elements).toHaveLength(5000);
    expect(elements.buffer.byteLength).toBe(20_000);
  });
});

/** Memory in which somebody has left NaN. */
const used = { allocUnsafeSlow: (bytes: number) => new Uint8Array(bytes).fill(0xff) };

// Larger than a tile, and none of them a multiple of the vectors' four elements.
const SHAPES = [
  { shape: [1021, 67], axis: 1 },
  { shape: [3, 5, 4999], axis: 1 },
  { shape: [70_001, 1], axis: 1 },
  { shape: [1, 9001], axis: 1 },
];

describe.each(["auto", "plain"] as const)("what is written of a result by the kernels '%s'", (kernels) => {
  it.each(SHAPES)("is all of it: $shape", ({ shape, axis }) => {
    vi.stubGlobal("Buffer", used);
    const layer = createBackend({ kernels }).create({ axis }, shape[axis]);
    const elements = shape.reduce((a, b) => a * b);
    const tensor = { data: Float32Array.from({ length: elements }, (_, k) => Math.sin(k)), shape };
    const outputs = [
      layer.call(tensor),
      layer.call(tensor, { training: true }),
      layer.backward(tensor).dx,
      layer.call(tensor, { gradient: true }),
      layer.backward(tensor).dx,
    ];
    vi.unstubAllGlobals();
    for (const { data } of outputs) expect(data.findIndex(Number.isNaN)).toBe(-1);
  });
});
