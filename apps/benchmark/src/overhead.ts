import type { Competitor, Contender } from "./competitor.ts";
import { measure } from "./measure.ts";
import { ALLOC, ARRAYS } from "./names.ts";
import type { Layout, Work } from "./task.ts";
import { makeTask, WORKS } from "./tasks.ts";

/**
 * 64 elements: what remains is the cost of a call. Not one element a channel: its variance is 0, and the moving variance of a
 * thousand such steps is a subnormal number, on which arithmetic takes a hundred times as long.
 */
const SIZES: readonly (readonly [number, number, number])[] = [
  [8, 1, 8],
  [2, 1, 32],
  [1, 16, 4],
];

/** Calls that are timed at once, since a timer cannot see one. */
const CALLS = 1000;

/** Microseconds of one call, of a layer or of its backward pass, by work and competitor. */
export interface Overhead {
  readonly work: Work;
  readonly layout: Layout;
  readonly size: readonly [number, number, number];
  readonly microseconds: Readonly<Record<string, number>>;
}

export async function measureOverhead(competitors: readonly Competitor[]): Promise<Overhead[]> {
  const own = competitors.filter(({ name }) => name === ARRAYS || name === ALLOC);
  const found: Overhead[] = [];
  for (const work of WORKS) {
    for (const size of SIZES) {
      const layout = "channels last";
      const task = makeTask(work, layout, size);
      const contenders = new Map<string, Contender>();
      for (const { name, prepare } of own) {
        const contender = await prepare(task);
        if (contender !== null) contenders.set(name, repeated(contender));
      }
      const milliseconds = await measure(contenders);
      const calls = CALLS * (work === "forward + backward" ? 2 : 1);
      const microseconds = Object.fromEntries(Object.entries(milliseconds).map(([name, value]) => [name, (value * 1000) / calls]));
      found.push({ work, layout, size, microseconds });
      for (const contender of contenders.values()) await contender.dispose();
    }
  }
  return found;
}

function repeated(contender: Contender): Contender {
  const run = (): void => {
    for (let call = 0; call < CALLS; call++) contender.run();
  };
  return { ...contender, run };
}
