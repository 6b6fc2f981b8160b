import type { Growth } from "./growth.ts";
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
} from "./names.ts";
import type { Overhead } from "./overhead.ts";
import type { Timing } from "./run.ts";
import { geometricMean } from "./statistics.ts";
import type { Work } from "./task.ts";
import { WORKS } from "./tasks.ts";

/** A promise about the backends of this repository, and what came out. */
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
  const faster = (what: string, work: Work, ours: string, theirs: string, must: number, aim: number): Bar =>
    bar(`${work}, ${what}`, "times faster", must, aim, 1 / relativeTime(timings, work, ours, theirs));
  const slower = (what: string, work: Work, ours: string, theirs: string, must: number, aim: number): Bar =>
    bar(`${work}, ${what}`, "times the time", must, aim, relativeTime(timings, work, ours, theirs));

  const onnxruntime = "against onnxruntime-web wasm, its best layout";
  const bars = [
    faster(`plain arrays ${onnxruntime}`, "inference", ARRAYS, ONNXRUNTIME, 4, 8),
    faster(`plain arrays ${onnxruntime}`, "training forward", ARRAYS, ONNXRUNTIME, 3, 5),
    slower(`plain TypeScript ${onnxruntime}`, "inference", PLAIN_TYPESCRIPT, ONNXRUNTIME, 1.5, 1),
    faster("plain arrays against tfjs wasm", "inference", ARRAYS, TFJS_WASM, 8, 20),
    faster("plain arrays against tfjs wasm", "training forward", ARRAYS, TFJS_WASM, 8, 15),
    faster("plain arrays against tfjs wasm", "forward + backward", ARRAYS, TFJS_WASM, 30, 60),
    slower("plain arrays against a copy", "inference", ARRAYS, COPY, 6, 4),
    slower("alloc against a copy", "inference", ALLOC, COPY, 2.5, 1.5),
    // Missed, since WebAssembly has no instruction that converts: docs/decisions/2026-11-26-half-precision-backends.md.
    slower("float16, alloc, against float32, alloc", "inference", ALLOC_FLOAT16, ALLOC, 1.3, 1),
    slower("float16, alloc, against float32, alloc", "training forward", ALLOC_FLOAT16, ALLOC, 1.3, 1),
    slower("bfloat16, alloc, against float32, alloc", "inference", ALLOC_BFLOAT16, ALLOC, 1.3, 1),
    slower("bfloat16, alloc, against float32, alloc", "training forward", ALLOC_BFLOAT16, ALLOC, 1.3, 1),
  ];
  for (const ours of [OURS_ON_TFJS_WASM, OURS_ON_TFJS_CPU]) {
    bars.push(
      faster(`${ours}, against tf.batchNorm on wasm`, "inference", ours, TFJS_WASM, 4, 6),
      slower(`${ours}, against backend-cpu on plain arrays`, "training forward", ours, ARRAYS, 1.5, 1),
      slower(`${ours}, against backend-cpu on plain arrays`, "forward + backward", ours, ARRAYS, 1.5, 1),
      faster(`${ours}, against tfjs wasm`, "forward + backward", ours, TFJS_WASM, 25, 40),
    );
  }
  const asNew = "against backend-cpu on plain arrays, which makes new outputs, too";
  for (const work of WORKS) bars.push(slower(`${OURS_ON_TFJS_CPU}, ${asNew}`, work, OURS_ON_TFJS_CPU, NEW_OUTPUTS, 1.5, 1));
  const onCpu = "against tf.batchNorm on cpu, the backend that it runs on itself";
  bars.push(faster(`${OURS_ON_TFJS_CPU}, ${onCpu}`, "inference", OURS_ON_TFJS_CPU, TFJS_CPU, 4, 6));
  if (timings.some(({ times }) => PYTORCH in times)) {
    for (const work of WORKS) {
      const pytorch = "against PyTorch on one thread, its best layout";
      bars.push(slower(`plain arrays ${pytorch}`, work, ARRAYS, PYTORCH, 2, 1), slower(`alloc ${pytorch}`, work, ALLOC, PYTORCH, 1.5, 0.7));
    }
  }
  for (const [work, must, aim] of [
    ["inference", 1, 0.5],
    ["training forward", 2, 1],
    ["forward + backward", 3, 1.5],
  ] as const) {
    const slowest = Math.max(...overheads.filter((each) => each.work === work).flatMap(({ microseconds }) => Object.values(microseconds)));
    bars.push(bar(`${work}, a call of 64 elements`, "microseconds", must, aim, slowest));
  }
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
