import { expect, test } from "vitest";
import { parseShard, tasksOf } from "../src/shard.ts";

const tasks = Array.from({ length: 62 }, (_, k) => ({ id: k, duration: ((k * 7919) % 97) + 1 }));
const durationOf = (task: { readonly duration: number }): number => task.duration;

test.each([1, 2, 3, 7, 62, 70])("each task is in exactly one of %i shards, in the order of the plan", (count) => {
  const shards = Array.from({ length: count }, (_, k) => tasksOf(tasks, { index: k + 1, count }, durationOf));
  expect(
    shards
      .flat()
      .map(({ id }) => id)
      .sort((a, b) => a - b),
  ).toEqual(tasks.map(({ id }) => id));
  for (const shard of shards) expect(shard).toEqual([...shard].sort((a, b) => a.id - b.id));
});

test("shards take about equally long: none more than another and its own longest task", () => {
  const loads = [1, 2, 3, 4].map((index) =>
    tasksOf(tasks, { index, count: 4 }, durationOf).reduce((sum, { duration }) => sum + duration, 0),
  );
  expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(97);
});

test("one very long task has a shard for itself", () => {
  const all = [
    { id: "short", duration: 1 },
    { id: "long", duration: 100 },
    { id: "middle", duration: 10 },
  ];
  expect(tasksOf(all, { index: 1, count: 2 }, durationOf).map(({ id }) => id)).toEqual(["long"]);
  expect(tasksOf(all, { index: 2, count: 2 }, durationOf).map(({ id }) => id)).toEqual(["short", "middle"]);
});

test("a shard is i/n", () => {
  expect(parseShard("2/4")).toEqual({ index: 2, count: 4 });
  for (const text of ["0/4", "5/4", "1", "1/0", "a/b", "-1/2", "1/2/3", ""])
    expect(() => parseShard(text)).toThrow(`--shard ${text}: expected i/n`);
});
