import { describe, expect, it } from "vitest";
import { createBackend } from "../src/index.ts";
import { ByChannels } from "../src/kernels/by-channels.ts";
import { Arenas } from "../src/memory/arenas.ts";
import { Heap } from "../src/memory/heap.ts";
import { SharedMemory } from "../src/memory/shared-memory.ts";
import { modules } from "./engines.ts";
import { expectErrorCode } from "./expect-error-code.ts";
import { example, runExample } from "./numbers.ts";

describe("alloc", () => {
  for (const threads of [1, 2]) {
    const backend = createBackend({ threads });
    const name = `${threads} thread${threads === 1 ? "" : "s"}`;

    it(`gives zeros, in the shape that was asked for (${name})`, () => {
      const tensor = backend.alloc([3, 4, 5]);
      expect(tensor.shape).toEqual([3, 4, 5]);
      expect(tensor.data).toEqual(new Float32Array(60));
      tensor.data.fill(7);
      backend.release(tensor);
      const again = backend.alloc([3, 4, 5]);
      expect(again.data).toEqual(new Float32Array(60));
      backend.release(again);
    });

    it(`never leaves a view detached, moved or shared, however much is allocated after it (${name})`, () => {
      // 16 MB each: the first arena of 64 MB is full after three, and a shared memory has to grow.
      const tensors = Array.from({ length: 12 }, (_, k) => {
        const tensor = backend.alloc([4096, 1024]);
        tensor.data.fill(k + 1);
        return tensor;
      });
      tensors.forEach(({ data }, k) => {
        expect(data.length).toBe(4096 * 1024);
        expect(data.every((value) => value === k + 1)).toBe(true);
      });
      for (const tensor of tensors) backend.release(tensor);
    });

    it(`computes the same on tensors of different arenas and on plain ones (${name})`, () => {
      const given = example([1000, 48], 1);
      const layer = backend.create(given.config, given.state);
      const expected = runExample(createBackend({ kernels: "wasm" }), given, false).y;
      const early = backend.alloc(given.shape);
      const big = Array.from({ length: 8 }, () => backend.alloc([4096, 1024]));
      const late = backend.alloc(given.shape);
      early.data.set(given.x);
      expect(layer.call(early, { out: late }).data).toEqual(expected);
      expect(layer.call(early).data).toEqual(expected);
      expect(layer.call({ data: given.x, shape: given.shape }, { out: early }).data).toEqual(expected);
      for (const tensor of [early, late, ...big]) backend.release(tensor);
    });

    it(`refuses a shape that is none (${name})`, () => {
      expectErrorCode(() => backend.alloc([3, -1]), "invalid-shape");
      expectErrorCode(() => backend.alloc([3]), "invalid-rank");
    });
  }

  it("gives a plain tensor where there is no room, or no wasm", () => {
    const huge = createBackend().alloc([0, 4]);
    expect(huge.data.length).toBe(0);
    expect(createBackend({ kernels: "plain" }).alloc([2, 3]).data).toEqual(new Float32Array(6));
    expect(new Arenas(modules.plain).allocate(2 ** 31, Float32Array)).toBeNull();
    expect(new SharedMemory(modules, 1, 0).allocate(2 ** 31, Float32Array)).toBeNull();
  });

  it("refuses a tensor that fits nowhere, and goes on", () => {
    for (const options of [{}, { kernels: "plain" }, { threads: 2 }] as const) {
      const backend = createBackend(options);
      expectErrorCode(() => backend.alloc([2 ** 26, 2 ** 26]), "runtime-failure");
      expect(backend.alloc([3, 4]).data).toEqual(new Float32Array(12));
      backend.terminate();
    }
  });

  it("frees a tensor once, and nobody else's", () => {
    const arenas = new Arenas(modules.plain);
    const first = arenas.allocate(1000, Float32Array) as Float32Array;
    const second = arenas.allocate(1000, Float32Array) as Float32Array;
    arenas.release(first.subarray(0));
    arenas.release(new Float32Array(10));
    expect((arenas.allocate(1000, Float32Array) as Float32Array).byteOffset).toBeGreaterThan(second.byteOffset);
    arenas.release(first);
    arenas.release(first);
    const third = arenas.allocate(1000, Float32Array) as Float32Array;
    expect(third.byteOffset).toBe(first.byteOffset);
    expect((arenas.allocate(1000, Float32Array) as Float32Array).byteOffset).not.toBe(third.byteOffset);
  });
});

describe("an arena", () => {
  it("cannot grow", () => {
    const { buffer } = new Arenas(modules.plain).allocate(10, Float32Array) as Float32Array;
    expect(buffer).toBeInstanceOf(ArrayBuffer);
    expect(buffer.byteLength).toBe(64 * 2 ** 20);
    // As WebAssembly guarantees of a memory whose maximum is its initial size.
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    expect(() => memory.grow(1)).toThrow(RangeError);
  });

  it("holds x, y, dy and dx of one size, and is found by them", () => {
    const arenas = new Arenas(modules.plain);
    const tensors = Array.from({ length: 4 }, () => arenas.allocate(2 ** 23, Float32Array) as Float32Array);
    expect(new Set(tensors.map(({ buffer }) => buffer)).size).toBe(1);
    const [x, y, dy] = tensors;
    expect(arenas.find(x, y, dy).holds(x)).toBe(true);
    const elsewhere = arenas.allocate(2 ** 23, Float32Array) as Float32Array;
    expect(elsewhere.buffer).not.toBe(x.buffer);
    expect(arenas.find(x, elsewhere).holds(x)).toBe(false);
  });

  it("is dropped with its last tensor, once another has taken its place", () => {
    const arenas = new Arenas(modules.plain);
    const old = arenas.allocate(2 ** 23, Float32Array) as Float32Array;
    const next = arenas.allocate(2 ** 26, Float32Array) as Float32Array;
    expect(arenas.find(old).holds(old)).toBe(true);
    arenas.release(old);
    expect(arenas.find(old).holds(old)).toBe(false);
    expect(arenas.find(next).holds(next)).toBe(true);
  });
});

describe("a shared memory", () => {
  it("is known by all of its tensors after it has grown, and after another one has", () => {
    const memory = new SharedMemory(modules, 1, 0);
    const before = memory.allocate(1000, Float32Array) as Float32Array;
    const after = memory.allocate(2 ** 22, Float32Array) as Float32Array;
    new WebAssembly.Memory({ initial: 1, maximum: 10, shared: true }).grow(5);
    const later = memory.allocate(1000, Float32Array) as Float32Array;
    expect(memory.find(before, after, later).holds(later)).toBe(true);
  });
});

describe("a heap", () => {
  it("gives addresses on cache lines, apart by one more, and merges what comes back", () => {
    const heap = new Heap(64, 64 + 5 * 128);
    const taken = Array.from({ length: 5 }, () => heap.take(64));
    expect(taken.map((each) => each?.address)).toEqual([64, 192, 320, 448, 576]);
    expect(heap.take(1)).toBeNull();
    for (const address of [192, 448, 320]) heap.give(address, 64);
    expect(heap.take(3 * 128 - 64)).toEqual({ address: 192, zero: false });
    heap.give(64, 64);
    expect(heap.take(64)).toEqual({ address: 64, zero: false });
  });

  it("knows what was never written", () => {
    const heap = new Heap(0, 1024);
    expect(heap.take(64)).toEqual({ address: 0, zero: true });
    heap.give(0, 64);
    expect(heap.take(64)).toEqual({ address: 0, zero: false });
    expect(heap.take(64)).toEqual({ address: 128, zero: true });
  });
});

describe("arrays that are kept by the number of channels", () => {
  const newArrays = () => new ByChannels((channels) => new Float64Array(channels));

  it("are the same for the same number, and exactly as wide", () => {
    const arrays = newArrays();
    for (const channels of [1, 64, 8192]) {
      const first = arrays.get(channels);
      expect(first.length).toBe(channels);
      expect(arrays.get(channels)).toBe(first);
    }
  });

  it("do not grow with the number of layers, nor stay where a very wide one needed them", () => {
    const arrays = newArrays();
    const made = Array.from({ length: 1000 }, (_, k) => arrays.get(k + 1));
    const kept = made.filter((each, k) => arrays.get(k + 1) === each);
    expect(kept.length).toBeLessThanOrEqual(16);
    const wide = arrays.get(8193);
    expect(wide.length).toBe(8193);
    expect(arrays.get(8193)).not.toBe(wide);
  });
});
