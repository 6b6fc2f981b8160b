import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBackend } from "../src/index.ts";
import { FIXED_PAGES, instantiate, type RunCall } from "../src/memory/compile.ts";
import { KernelMemory } from "../src/memory/kernel-memory.ts";
import { CALL, HEAP, NORMALIZE, RUNS } from "../src/memory/layout.generated.ts";
import { Pool } from "../src/memory/pool.ts";
import { modules } from "./engines.ts";
import { expectSameBits } from "./expect-agreement.ts";
import { example, runExample } from "./numbers.ts";
import { runInNode } from "./run-in-node.ts";

const module = modules.shared;
const CALLS = 2500;

describe("a pool", () => {
  const memory = new WebAssembly.Memory({ initial: FIXED_PAGES + 1, maximum: FIXED_PAGES + 1, shared: true });
  const run = instantiate(module, memory);
  let own = 0;
  // The caller dawdles, so that the workers get their share.
  const slow: RunCall = (address, scratch) => {
    own++;
    const end = performance.now() + 0.2;
    while (performance.now() < end);
    return run(address, scratch);
  };
  const pool = new Pool(module, memory, slow, 3, 0);
  const { mean, slope, offset } = new KernelMemory(run, memory.buffer);
  const numbers = new Float32Array(memory.buffer, HEAP, CALLS);

  beforeAll(async () => {
    expect(await pool.ready).toBe(3);
    mean.fill(1);
    slope.fill(2);
    offset.fill(3);
  });
  afterAll(() => pool.terminate());

  const record = new Int32Array(memory.buffer, CALL, 16);
  /** Adds a call for one number: 2 (x - 1) + 3, in place. Written by hand, since a KernelMemory refuses one out of bounds. */
  const addAt = (address: number): void => {
    record.set([NORMALIZE + RUNS, address, 0, address, 1, 0, 1, 0, 1]);
    pool.add();
  };
  const addCalls = (): void => {
    for (let k = 0; k < CALLS; k++) addAt(HEAP + 4 * k);
  };
  const expectOneStep = (): void => expect(numbers.findIndex((value, k) => value !== 2 * (k - 1) + 3)).toBe(-1);
  const count = (): void => {
    for (let k = 0; k < CALLS; k++) numbers[k] = k;
  };

  it("makes every call once, with the help of its workers, also when the table is too small for them", () => {
    own = 0;
    for (let round = 0; round < 3; round++) {
      count();
      addCalls();
      pool.run();
      expectOneStep();
    }
    // How the calls are shared out is the scheduler's business; the caller may even come too late for all of them.
    expect(own).toBeLessThan(3 * CALLS);
  });

  it("does nothing when there is nothing to do", () => {
    own = 0;
    pool.run();
    expect(own).toBe(0);
  });

  it("says that a call trapped, on whichever thread, makes the others, and is as good as new", () => {
    const outside = 4 * 2 ** 20;
    for (let round = 0; round < 30; round++) {
      count();
      for (let k = 0; k < 100; k++) {
        addAt(HEAP + 4 * k);
        if (k % 10 === 0) addAt(outside);
      }
      expect(() => pool.run()).toThrow(/out of bounds|failed in one of the threads/);
      expect(numbers.subarray(0, 100).findIndex((value, k) => value !== 2 * (k - 1) + 3)).toBe(-1);
      count();
      addCalls();
      pool.run();
      expectOneStep();
    }
  });

  it("forgets calls that are not to be made", () => {
    count();
    for (let k = 0; k < 10; k++) addAt(HEAP + 4 * k);
    pool.clear();
    pool.run();
    expect([...numbers.subarray(0, 10)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    addCalls();
    pool.run();
    expectOneStep();
  });

  it("goes on alone after terminate", () => {
    pool.terminate();
    own = 0;
    count();
    addCalls();
    pool.run();
    expectOneStep();
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
      console.log(await createBackend({ threads: 2 }).ready);
    `;
    expect(runInNode(program)).toBe(2);
  });
});
