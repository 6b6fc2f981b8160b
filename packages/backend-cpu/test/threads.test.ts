import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBackend } from "../src/index.ts";
import { compileKernels } from "../src/simd/compile.ts";
import { FIXED_PAGES, instantiate, type KernelExports, KernelMemory } from "../src/simd/kernel-memory.ts";
import { LAYOUT } from "../src/simd/module.generated.ts";
import { Pool } from "../src/threads/pool.ts";
import { expectSameBits } from "./expect-agreement.ts";
import { example, runExample } from "./numbers.ts";
import { runInNode } from "./run-in-node.ts";

const module = compileKernels("shared") as WebAssembly.Module;
const CALLS = 2500;

describe("a pool", () => {
  const memory = new WebAssembly.Memory({ initial: FIXED_PAGES + 1, maximum: FIXED_PAGES + 1, shared: true });
  const kernels = instantiate(module, memory);
  let own = 0;
  // The caller dawdles, so that the workers get their share.
  const slow: KernelExports = {
    ...kernels,
    normalizeRuns: (...args) => {
      own++;
      const end = performance.now() + 0.2;
      while (performance.now() < end);
      kernels.normalizeRuns(...args);
    },
  };
  const pool = new Pool(module, memory, slow, 3, 0);
  const { center, scale, shift } = new KernelMemory(kernels, memory.buffer);
  const numbers = new Float32Array(memory.buffer, LAYOUT.HEAP, CALLS);

  beforeAll(async () => {
    expect(await pool.ready).toBe(3);
    center.fill(1);
    scale.fill(2);
    shift.fill(3);
  });
  afterAll(() => pool.terminate());

  /** One call for each number: 2 (x - 1) + 3, in place. */
  const addCalls = (): void => {
    for (let k = 0; k < CALLS; k++) {
      const address = LAYOUT.HEAP + 4 * k;
      pool.add("normalizeRuns", address, 0, address, 1, 4, 1, 4, 1, 0, 0, 0, 1);
    }
  };

  it("makes every call once, with the help of its workers, also when the table is too small for them", () => {
    own = 0;
    for (let round = 0; round < 3; round++) {
      numbers.forEach((_, k) => {
        numbers[k] = k;
      });
      addCalls();
      pool.run();
      expect(numbers.findIndex((value, k) => value !== 2 * (k - 1) + 3)).toBe(-1);
    }
    // How the calls are shared out is the scheduler's business; the caller may even come too late for all of them.
    expect(own).toBeLessThan(3 * CALLS);
  });

  it("does nothing when there is nothing to do", () => {
    own = 0;
    pool.run();
    expect(own).toBe(0);
  });

  it("goes on alone after terminate", () => {
    pool.terminate();
    own = 0;
    numbers.fill(1);
    addCalls();
    pool.run();
    expect(numbers.every((value) => value === 3)).toBe(true);
    expect(own).toBe(CALLS);
  });
});

describe("a backend with threads", () => {
  const one = createBackend();
  const several = createBackend({ threads: 3 });
  beforeAll(() => several.ready);
  afterAll(() => several.terminate());

  it("gives the same bits on large tensors as one thread", () => {
    for (const [shape, axis] of [
      [[12000, 64], 1],
      [[4, 64, 4000], 1],
      [[300, 2000], 1],
      [[800001, 1], 1],
      [[100003, 7], 1],
    ] as const) {
      const given = example(shape, axis);
      for (const training of [true, false]) {
        const expected = runExample(one, given, training);
        for (let round = 0; round < 3; round++) expectSameBits(runExample(several, given, training, true), expected);
      }
    }
  });

  it("works on in a memory that has grown under its workers", () => {
    const given = example([12000, 64], 1);
    const ballast = several.alloc([30000, 1024]);
    expectSameBits(runExample(several, given, true, true), runExample(one, given, true));
    several.release(ballast);
  });

  it("works before its threads have started, and after they have ended", async () => {
    const given = example([12000, 64], 1);
    const early = createBackend({ threads: 2 });
    const expected = runExample(one, given, true);
    expectSameBits(runExample(early, given, true, true), expected);
    early.terminate();
    expect(await early.ready).toBeLessThanOrEqual(2);
    expectSameBits(runExample(early, given, true, true), expected);
  });

  it("does not keep the process alive", () => {
    const program = `
      import { createBackend } from "./src/index.ts";
      console.log(await createBackend({ threads: 3 }).ready);
    `;
    expect(runInNode(program)).toBe(3);
  });
});
