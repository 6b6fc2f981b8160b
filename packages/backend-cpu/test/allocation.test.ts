import { describe, expect, it } from "vitest";
import { runInNode } from "./run-in-node.ts";

interface Usage {
  /** Bytes of the JavaScript heap that one call takes. */
  readonly heap: number;
  /** Bytes of array buffers that all calls together take. */
  readonly buffers: number;
}

interface Options {
  readonly training?: boolean;
  /** Whether `backward` is called, too. */
  readonly backward?: boolean;
  readonly alloc?: boolean;
  readonly calls?: number;
}

/** Calls a layer with `out` again and again, after it has met its tensors and the compiler has met the calls. */
function measure(shape: readonly number[], axis: number, options: Options): Usage {
  const { training = false, backward = false, alloc = false, calls = 1000 } = options;
  return runInNode(
    `
    import { createBackend } from "./src/index.ts";
    const [shape, axis, training, backward, alloc, calls] = ${JSON.stringify([shape, axis, training, backward, alloc, calls])};
    const backend = createBackend();
    const length = shape.reduce((a, b) => a * b), channels = shape[axis];
    const tensor = () => alloc ? backend.alloc(shape) : { data: new Float32Array(length), shape };
    const [x, out, dy, dx] = [tensor(), tensor(), tensor(), tensor()];
    const ones = Array(channels).fill(1);
    const layer = backend.create({ axis }, { parameters: { gamma: ones, beta: ones }, statistics: { movingMean: ones, movingVariance: ones } });
    const options = { training, out };
    const step = () => { layer.call(x, options); if (backward) layer.backward(dy, { out: dx }) };
    for (let k = 0; k < calls; k++) step();
    globalThis.gc();
    const before = process.memoryUsage();
    // Many, so that what the compiler allocates on the side does not count.
    for (let k = 0; k < calls; k++) step();
    const after = process.memoryUsage();
    globalThis.gc();
    const buffers = process.memoryUsage().arrayBuffers - before.arrayBuffers;
    console.log(JSON.stringify({ heap: (after.heapUsed - before.heapUsed) / calls, buffers }));
  `,
    // Room for all of it, so that no collection in between takes away what has to be counted.
    ["--expose-gc", "--min-semi-space-size=64", "--max-semi-space-size=64"],
  ) as Usage;
}

describe("a call with out", () => {
  for (const [shape, axis] of [
    [[25, 64, 49], 1],
    [[1225, 64], 1],
  ] as const) {
    for (const alloc of [false, true]) {
      it(`allocates the same for sixteen times the elements of [${shape.join(", ")}]${alloc ? " from alloc" : ""}: a few objects`, () => {
        const [rows, ...others] = shape;
        const small = measure(shape, axis, { alloc });
        const large = measure([16 * rows, ...others], axis, { alloc });
        // Less than before is a small buffer of Node's own that the collector found meanwhile.
        expect(Math.max(small.buffers, large.buffers)).toBeLessThanOrEqual(0);
        expect(small.heap).toBeLessThan(8192);
        // A view a tile would be 20 kB: 77 tiles, in and out.
        expect(large.heap).toBeLessThan(small.heap + 8192);
      });
    }
  }
});

describe("a call of 64 elements with out", () => {
  for (const [shape, axis] of [
    [[8, 8], 1],
    [[1, 64], 1],
    [[4, 4, 4], 1],
  ] as const) {
    for (const training of [false, true]) {
      it(`leaves less than 500 bytes behind: [${shape.join(", ")}], ${training ? "training" : "inference"}`, () => {
        expect(measure(shape, axis, { training, calls: 20_000 }).heap).toBeLessThan(500);
      });
    }
  }
});

describe("a step of training with out", () => {
  it("allocates the gradients of the parameters alone, and a few objects", () => {
    const { heap } = measure([1225, 64], 1, { training: true, backward: true });
    expect(heap).toBeLessThan(16384);
  });
});

describe("beyond input and output", () => {
  it("a call on 40 MB takes less than 8 MB", () => {
    const taken = runInNode(
      `
      import { createBackend } from "./src/index.ts";
      const shape = [156250, 64];
      const backend = createBackend();
      const ones = Array(64).fill(1);
      const layer = backend.create({}, { parameters: { gamma: ones, beta: ones }, statistics: { movingMean: ones, movingVariance: ones } });
      const tensor = () => ({ data: new Float32Array(1e7).fill(1), shape });
      const [x, out, dy, dx] = [tensor(), tensor(), tensor(), tensor()];
      globalThis.gc();
      const before = process.memoryUsage();
      layer.call(x, { out, training: true });
      layer.backward(dy, { out: dx });
      const after = process.memoryUsage();
      console.log(JSON.stringify({ resident: after.rss - before.rss, buffers: after.arrayBuffers - before.arrayBuffers }));
    `,
      ["--expose-gc"],
    ) as { resident: number; buffers: number };
    expect(taken.resident).toBeLessThan(8e6);
    expect(taken.buffers).toBeLessThan(1e5);
  });
});
