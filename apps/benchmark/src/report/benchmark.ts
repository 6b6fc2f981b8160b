import type { Bar } from "../bars.ts";
import type { Growth } from "../growth.ts";
import type { Overhead } from "../overhead.ts";
import type { Timing } from "../run.ts";

/** One run of the benchmark: the whole of reports/benchmark.json. Times are medians, in milliseconds. */
export interface Benchmark {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly platform: string };
  /** Of Node and of every package that was measured. */
  readonly versions: Readonly<Record<string, string>>;
  readonly timings: readonly Timing[];
  readonly overheads: readonly Overhead[];
  readonly growths: readonly Growth[];
  readonly bars: readonly Bar[];
}
