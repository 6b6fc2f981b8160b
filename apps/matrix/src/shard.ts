/** Which part of a run: `index` of `count`, from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** @throws RangeError for anything but i/n with 1 <= i <= n. */
export function parseShard(text: string): Shard {
  const [, index, count] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  if (index >= 1 && index <= count) return { index, count };
  throw new RangeError(`--shard ${text}: expected i/n, such as 1/4, where i is one of 1 to n.`);
}

/**
 * The tasks of one shard. Every task is in exactly one, and the shards take about equally long: each task, the longest first, goes to
 * the shard with the least to do. The same tasks and durations give the same shards.
 *
 * @param durationOf how long a task takes, in any unit.
 */
export function tasksOf<Task>(tasks: readonly Task[], { index, count }: Shard, durationOf: (task: Task) => number): Task[] {
  const loads = new Array<number>(count).fill(0);
  const chosen = new Set<Task>();
  for (const task of [...tasks].sort((a, b) => durationOf(b) - durationOf(a))) {
    const least = loads.indexOf(Math.min(...loads));
    loads[least] += durationOf(task);
    if (least === index - 1) chosen.add(task);
  }
  return tasks.filter((task) => chosen.has(task));
}
