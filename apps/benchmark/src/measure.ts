import { Bench, type Fn } from "tinybench";
import type { Contender } from "./competitor.ts";
import { median } from "./statistics.ts";

/** How long one contender has in one round, in milliseconds, and how many rounds there are. */
const SLICE = 25;
const ROUNDS = 7;

/** A contender whose run takes more milliseconds than this has fewer rounds. */
const SLOW = 250;
const SLOW_ROUNDS = 3;

/**
 * The median milliseconds of a run of every contender. They take turns, round after round, so that whatever else the machine does
 * meets all of them alike.
 */
export async function measure(contenders: ReadonlyMap<string, Contender>, rounds: number = ROUNDS): Promise<Record<string, number>> {
  const samples = new Map([...contenders.keys()].map((name): [string, number[]] => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, contender] of contenders) {
      const known = samples.get(name) as number[];
      if (round >= SLOW_ROUNDS && median(known) > SLOW) continue;
      known.push(...(contender.sample ? await contender.sample(SLICE) : await sample(name, contender, round === 0)));
    }
  }
  return Object.fromEntries([...samples].map(([name, known]) => [name, median(known)]));
}

async function sample(name: string, { run }: Contender, first: boolean): Promise<readonly number[]> {
  const warmup = { warmup: first, warmupTime: SLICE, warmupIterations: 1 };
  const bench = new Bench({ time: SLICE, iterations: 1, retainSamples: true, throws: true, ...warmup });
  bench.add(name, run as Fn);
  const [{ result }] = await bench.run();
  if (result.state !== "completed" || result.latency.samples === undefined) throw new Error(`${name} was not measured: ${result.state}.`);
  return result.latency.samples;
}
