import type { Competitor, Contender } from "./competitor.ts";
import { measure } from "./measure.ts";
import type { Layout, Work } from "./task.ts";
import { LAYOUTS, makeTask, SIZES, WORKS } from "./tasks.ts";
import { verifier } from "./verify.ts";

/** The median milliseconds of every competitor on one task. */
export interface Timing {
  readonly work: Work;
  readonly layout: Layout;
  readonly size: readonly [number, number, number];
  readonly times: Readonly<Record<string, number>>;
}

/** Every task for every competitor: verified first, then timed in turns. */
export async function timeTasks(competitors: readonly Competitor[], onProgress: (what: string) => void): Promise<Timing[]> {
  const timings: Timing[] = [];
  for (const work of WORKS) {
    for (const size of SIZES) {
      for (const layout of LAYOUTS) {
        onProgress(`${work}, [${size.join(", ")}], ${layout}`);
        const task = makeTask(work, layout, size);
        const verify = verifier(task);
        const contenders = new Map<string, Contender>();
        for (const { name, prepare } of competitors) {
          const contender = await prepare(task);
          if (contender === null) continue;
          const results = await contender.results();
          if (results !== null) verify(name, results);
          contenders.set(name, contender);
        }
        timings.push({ work, layout, size, times: await measure(contenders) });
        for (const contender of contenders.values()) await contender.dispose();
      }
    }
  }
  return timings;
}
