import { type CpuBackend, createBackend } from "@batchnorm/backend-cpu";
import { initialState } from "@batchnorm/spec";
import type { Contender } from "./competitor.ts";
import { measure } from "./measure.ts";
import { ALLOC, ARRAYS, COPY } from "./names.ts";
import type { Work } from "./task.ts";

const ELEMENTS = [1e5, 1e6, 1e7, 1e8];
const CHANNELS = 64;

/** More rounds than elsewhere: a slice has one run of the largest tensors, and main memory is everybody's. */
const ROUNDS = 21;

/** More bytes than any cache has. */
const UNCACHED = 256e6;

/** How the time grows with the tensor. */
export interface Growth {
  readonly work: Work;
  readonly elements: number;
  /** Whether every run finds its tensors in main memory, or those of the run before it wherever they are. */
  readonly memory: "main memory" | "any cache";
  /** Milliseconds by competitor. */
  readonly times: Readonly<Record<string, number>>;
}

/**
 * Measures channels last from 1e5 to 1e8 elements. A copy of 1e5 elements that stay in a second-level cache takes a quarter of the time, byte for
 * byte, that one of 1e8 takes; arithmetic does not get cheaper by as much. So that the yardstick is the same for every size, the runs
 * go round through so many tensors that each is met in main memory; with one tensor that stays in a cache it is measured, too.
 */
export async function measureGrowth(): Promise<Growth[]> {
  const found: Growth[] = [];
  for (const memory of ["main memory", "any cache"] as const) {
    for (const work of ["inference", "training forward"] as const) {
      for (const wanted of ELEMENTS) {
        const rows = Math.round(wanted / CHANNELS);
        const elements = rows * CHANNELS;
        const count = memory === "any cache" ? 1 : Math.max(1, Math.ceil(UNCACHED / (8 * elements)));
        const backend = createBackend();
        const arrays = (): Float32Array => new Float32Array(elements).fill(0.5);
        const contenders = new Map<string, Contender>([
          [COPY, copies(pairs(count, arrays))],
          [ARRAYS, layers(backend, work, rows, pairs(count, arrays))],
          [
            ALLOC,
            layers(
              backend,
              work,
              rows,
              pairs(count, () => (backend.alloc([rows, CHANNELS]).data as Float32Array).fill(0.5)),
            ),
          ],
        ]);
        found.push({ work, elements: wanted, memory, times: await measure(contenders, ROUNDS) });
      }
    }
  }
  return found;
}

type Pair = readonly [Float32Array, Float32Array];

function pairs(count: number, make: () => Float32Array): Pair[] {
  return Array.from({ length: count }, (): Pair => [make(), make()]);
}

function copies(tensors: readonly Pair[]): Contender {
  return goingRound(tensors, ([x, y]) => y.set(x));
}

function layers(backend: CpuBackend, work: Work, rows: number, tensors: readonly Pair[]): Contender {
  const layer = backend.create({}, initialState({ center: true, scale: true }, CHANNELS));
  const shape = [rows, CHANNELS];
  const training = work !== "inference";
  return goingRound(tensors, ([x, y]) => layer.call({ data: x, shape }, { out: { data: y, shape }, training, gradient: false }));
}

function goingRound(tensors: readonly Pair[], work: (pair: Pair) => unknown): Contender {
  let next = 0;
  return {
    run: () => {
      next = (next + 1) % tensors.length;
      work(tensors[next]);
    },
    results: () => null,
    dispose: () => {},
  };
}
