import { describe, expect, it } from "vitest";
import { judge, relativeTime } from "../src/bars.ts";
import type { Growth } from "../src/growth.ts";
import {
  ALLOC,
  ALLOC_BFLOAT16,
  ALLOC_FLOAT16,
  ARRAYS,
  COPY,
  NEW_OUTPUTS,
  ONNXRUNTIME,
  OURS_ON_TFJS_CPU,
  OURS_ON_TFJS_WASM,
  PLAIN_TYPESCRIPT,
  PYTORCH,
  TFJS_CPU,
  TFJS_WASM,
} from "../src/names.ts";
import type { Timing } from "../src/run.ts";
import type { Layout } from "../src/task.ts";
import { WORKS } from "../src/tasks.ts";

const timing = (size: number, layout: Layout, times: Record<string, number>): Timing => ({
  work: "inference",
  layout,
  size: [size, 1, 1],
  times,
});

describe("a relative time", () => {
  it("is the geometric mean over sizes and our layouts, against the better layout of the other", () => {
    const timings = [
      timing(1, "channels last", { [ARRAYS]: 1, other: 8 }),
      timing(1, "channels first", { [ARRAYS]: 2, other: 2 }),
      timing(2, "channels last", { [ARRAYS]: 1, other: 4 }),
      timing(2, "channels first", { [ARRAYS]: 4 }),
    ];
    // 1/2, 2/2, 1/4 and 4/4.
    expect(relativeTime(timings, "inference", ARRAYS, "other")).toBeCloseTo(0.125 ** 0.25, 12);
  });
});

describe("the promises", () => {
  /** `factor` is how many times longer all that is ours takes. */
  const all = (factor: number): Timing[] =>
    WORKS.map((work) => ({
      work,
      layout: "channels last",
      size: [1, 1, 1],
      times: {
        [COPY]: 1,
        [ARRAYS]: 3.9 * factor,
        [NEW_OUTPUTS]: 3.9 * factor,
        [ALLOC]: 1.4 * factor,
        [ALLOC_FLOAT16]: 1.4 * factor,
        [ALLOC_BFLOAT16]: 1.4 * factor,
        [PLAIN_TYPESCRIPT]: 30 * factor,
        [OURS_ON_TFJS_CPU]: 3.8 * factor,
        [OURS_ON_TFJS_WASM]: 3.8 * factor,
        [ONNXRUNTIME]: 32,
        [TFJS_WASM]: 250,
        [TFJS_CPU]: 300,
        [PYTORCH]: 4,
      },
    }));
  const overhead = (microseconds: number) =>
    WORKS.map((work) => ({ work, layout: "channels last" as const, size: [1, 1, 1] as const, microseconds: { [ARRAYS]: microseconds } }));
  const growths = (last: number): Growth[] =>
    (["inference", "training forward"] as const).flatMap((work) => [
      { work, elements: 1e5, memory: "main memory" as const, times: { [COPY]: 1, [ARRAYS]: 2 } },
      { work, elements: 1e8, memory: "main memory" as const, times: { [COPY]: 10, [ARRAYS]: last } },
      { work, elements: 1e5, memory: "any cache" as const, times: { [COPY]: 1, [ARRAYS]: 1000 } },
    ]);

  it("hold and reach their aims where they do", () => {
    const bars = judge(all(1), overhead(0.4), growths(29));
    expect(bars).toHaveLength(35);
    expect(bars.filter(({ holds, reaches }) => !holds || !reaches)).toEqual([]);
  });

  it("are missed one by one", () => {
    const missed = (...of: Parameters<typeof judge>): number => judge(...of).filter(({ holds }) => !holds).length;
    // All but those that compare one of ours with another.
    expect(missed(all(100), overhead(0.4), growths(29))).toBe(19);
    expect(missed(all(1), overhead(1.5), growths(29))).toBe(1);
    expect(missed(all(1), overhead(2.5), growths(29))).toBe(2);
    expect(missed(all(1), overhead(4), growths(29))).toBe(3);
    expect(missed(all(1), overhead(0.4), growths(31))).toBe(2);
    const slowTfjs = all(1).map((each) => ({ ...each, times: { ...each.times, [OURS_ON_TFJS_CPU]: 6 } }));
    expect(missed(slowTfjs, overhead(0.4), growths(29))).toBe(5);
    const slowHalf = all(1).map((each) => ({ ...each, times: { ...each.times, [ALLOC_FLOAT16]: 8 } }));
    expect(missed(slowHalf, overhead(0.4), growths(29))).toBe(2);
  });

  it("say nothing of PyTorch where it did not run", () => {
    const without = all(1).map((each) => ({
      ...each,
      times: Object.fromEntries(Object.entries(each.times).filter(([name]) => name !== PYTORCH)),
    }));
    expect(judge(without, overhead(0.4), growths(29))).toHaveLength(29);
  });
});
