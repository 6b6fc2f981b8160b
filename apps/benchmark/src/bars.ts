import type { Growth } from "./growth.ts";
import { ALLOC, ARRAYS, COPY, ONNXRUNTIME, PYTORCH, TFJS_WASM } from "./names.ts";
import type { Overhead } from "./overhead.ts";
import type { Timing } from "./run.ts";
import { geometricMean } from "./statistics.ts";
import type { Work } from "./task.ts";

/** A promise about this backend, and what came out. */
export interface Bar {
  readonly what: string;
  /** What the numbers are: `times faster` is good when it is large, the others when they are small. */
  readonly unit: "times faster" | "times the time" | "microseconds";
  readonly must: number;
  readonly aim: number;
  readonly value: number;
  readonly holds: boolean;
  readonly reaches: boolean;
}

/** The promises, judged. Those about PyTorch are left out where it did not run. */
export function judge(timings: readonly Timing[], overheads: readonly Overhead[], growths: readonly Growth[]): Bar[] {
  const faster = (what: string, work: Work, theirs: string, must: number, aim: number): Bar =>
    bar(`${what} (plain arrays)`, "times faster", must, aim, 1 / relativeTime(timings, work, ARRAYS, theirs));
  const bars = [
    faster("inference, against onnxruntime-web wasm, its best layout", "inference", ONNXRUNTIME, 4, 8),
    faster("inference, against tfjs wasm", "inference", TFJS_WASM, 8, 20),
    faster("training forward, against onnxruntime-web wasm, its best layout", "training forward", ONNXRUNTIME, 3, 5),
    faster("training forward, against tfjs wasm", "training forward", TFJS_WASM, 8, 15),
    faster("forward + backward, against tfjs wasm", "forward + backward", TFJS_WASM, 30, 60),
    bar("inference, against a copy (plain arrays)", "times the time", 6, 4, relativeTime(timings, "inference", ARRAYS, COPY)),
    bar("inference, against a copy (alloc)", "times the time", 2.5, 1.5, relativeTime(timings, "inference", ALLOC, COPY)),
  ];
  if (timings.some(({ times }) => PYTORCH in times)) {
    const slower = (work: Work, must: number, aim: number): Bar =>
      bar(
        `${work}, against PyTorch on one thread, its best layout (plain arrays)`,
        "times the time",
        must,
        aim,
        relativeTime(timings, work, ARRAYS, PYTORCH),
      );
    bars.push(slower("inference", 4, 2), slower("training forward", 3, 1.2), slower("forward + backward", 3, 1.2));
  }
  const slowest = Math.max(...overheads.flatMap(({ microseconds }) => Object.values(microseconds)));
  bars.push(bar("64 elements, the slowest kind of call", "microseconds", 2, 0.5, slowest));
  for (const work of ["inference", "training forward"] as const) {
    const value = spread(growths, work, ARRAYS);
    bars.push(
      bar(
        `${work}, 1e5 to 1e8 elements from main memory: the largest multiple of a copy by the smallest (plain arrays)`,
        "times the time",
        1.5,
        1.5,
        value,
      ),
    );
  }
  return bars;
}

/**
 * The time of one competitor as a multiple of another's: the geometric mean over sizes and over the layouts of the first, each against the
 * second in whichever layout is faster for it.
 */
export function relativeTime(timings: readonly Timing[], work: Work, ours: string, theirs: string): number {
  const ratios = timings
    .filter((timing) => timing.work === work && ours in timing.times)
    .map(({ size, times }) => {
      const same = timings.filter((other) => other.work === work && other.size.join() === size.join() && theirs in other.times);
      return times[ours] / Math.min(...same.map((other) => other.times[theirs]));
    });
  return geometricMean(ratios);
}

/** The largest multiple of a copy by the smallest, over all sizes. */
function spread(growths: readonly Growth[], wanted: Work, name: string): number {
  const multiples = growths
    .filter(({ work, memory }) => work === wanted && memory === "main memory")
    .map(({ times }) => times[name] / times[COPY]);
  return Math.max(...multiples) / Math.min(...multiples);
}

function bar(what: string, unit: Bar["unit"], must: number, aim: number, value: number): Bar {
  const within = (limit: number): boolean => (unit === "times faster" ? value >= limit : value <= limit);
  return { what, unit, must, aim, value, holds: within(must), reaches: within(aim) };
}
