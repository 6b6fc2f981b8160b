import type { ChildProcess } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort, HAS_REDIS, startRedis } from "./redis-server.ts";
import { batchnorm, fixture, startBatchnorm, temporaryFolder } from "./run.ts";

const file = temporaryFolder();
const digits = fixture("recalibration/digits.onnx");
const SHARDS = 6;

/** 24 batches of 2 images; with SLOW set they take their time, and are counted in a file. */
function batches(name: string): string {
  const path = file(name);
  writeFileSync(
    path,
    `import { appendFileSync } from "node:fs";
     export default async function* () {
       for (let b = 0; b < 24; b++) {
         if (process.env.SLOW) {
           await new Promise((resolve) => setTimeout(resolve, 15));
           appendFileSync(${JSON.stringify(`${path}.read`)}, ".");
         }
         yield { data: Float32Array.from({ length: 128 }, (_, k) => Math.sin(k * b) + b / 9), shape: [2, 1, 8, 8] };
       }
     }`,
  );
  return path;
}

/** A machine that takes its time. */
function startSlowly(argv: readonly string[]): ReturnType<typeof startBatchnorm> {
  process.env.SLOW = "1";
  const started = startBatchnorm(argv);
  delete process.env.SLOW;
  return started;
}

/** Until a machine is in the middle of its second shard. */
async function inSecondShard(data: string): Promise<void> {
  while (!existsSync(`${data}.read`) || readFileSync(`${data}.read`).length < 30) await sleep(20);
}

/** What one machine gives that measures the shards one after the other. */
async function alone(data: string): Promise<Buffer> {
  const partials = Array.from({ length: SHARDS }, (_, k) => file(`alone-${k + 1}.json`));
  for (const [k, out] of partials.entries())
    await batchnorm("recalibrate", digits, "--data", data, "--shard", `${k + 1}/${SHARDS}`, "--out", out);
  await batchnorm("merge", digits, ...partials, "--out", file("alone.onnx"));
  return readFileSync(file("alone.onnx"));
}

describe.skipIf(!HAS_REDIS)("recalibrate --redis (skipped without redis-server: apt-get install redis-server)", () => {
  let url = "";
  let server: ChildProcess | null = null;
  beforeAll(async () => {
    ({ url, server } = await startRedis());
  });
  afterAll(() => void server?.kill("SIGKILL"));

  const argv = (data: string, out: string, ...more: string[]) =>
    ["recalibrate", digits, "--data", data, "--redis", url, "--shards", String(SHARDS), "--out", file(out), ...more] as const;

  it("gives the same bits on one machine and on three", async () => {
    const data = batches("plain.mjs");
    const expected = await alone(data);
    const one = await batchnorm(...argv(data, "one.onnx"));
    expect(one.err).toBe("");
    expect(one.out).toContain("48 samples in 6 shards, 6 measured here\n");
    expect(readFileSync(file("one.onnx")).equals(expected)).toBe(true);

    const runs = await Promise.all(
      ["a.onnx", "b.onnx", "c.onnx"].map((out) => startSlowly(argv(batches("three.mjs"), out, "--json")).ended),
    );
    expect(runs.map(({ status }) => status)).toEqual([0, 0, 0]);
    const here = runs.map(({ out }) => JSON.parse(out).here as number);
    expect(here.reduce((sum, count) => sum + count, 0)).toBe(SHARDS);
    expect(here.filter((count) => count > 0).length).toBeGreaterThan(1);
    for (const out of ["a.onnx", "b.onnx", "c.onnx"]) expect(readFileSync(file(out)).equals(expected)).toBe(true);
  });

  it("does the shard of a killed machine again, and counts none twice", async () => {
    const data = batches("killed.mjs");
    const expected = await alone(data);
    // The first machine dies in the middle of a shard, without a word.
    const first = startSlowly(argv(data, "dead.onnx", "--lease", "1"));
    await inSecondShard(data);
    first.child.kill("SIGKILL");
    expect((await first.ended).status).toBe(128);
    expect(existsSync(file("dead.onnx"))).toBe(false);

    const { status, out, err } = await batchnorm(...argv(data, "alive.onnx", "--lease", "1", "--json"));
    expect(err).toMatch(/shard-\d: its machine went silent, it is measured again\n/);
    expect(status).toBe(0);
    const { samples, counts, here } = JSON.parse(out);
    expect([samples, counts.dense_norm, counts.pixel_norm]).toEqual([48, 48, 48 * 64]);
    expect(here).toBe(SHARDS - 1);
    expect(readFileSync(file("alive.onnx")).equals(expected)).toBe(true);
  });

  it("gives the shard back on Ctrl-C, and goes on from what is on the server", async () => {
    const data = batches("stopped.mjs");
    const first = startSlowly(argv(data, "stopped.onnx"));
    await inSecondShard(data);
    first.child.kill("SIGINT");
    const { status, err } = await first.ended;
    expect(err).toContain("Stopped. What was measured is on the server");
    expect(status).toBe(130);
    // Within the lease of 30 s: the shard was given back, not waited for.
    const start = Date.now();
    const second = await batchnorm(...argv(data, "stopped.onnx"));
    expect(second.status).toBe(0);
    expect(second.err).toBe("");
    expect(Date.now() - start).toBeLessThan(15_000);
    expect(readFileSync(file("stopped.onnx")).equals(await alone(data))).toBe(true);
  });

  it("says why a shard fails, and tries again when that is mended", async () => {
    const data = file("broken.mjs");
    writeFileSync(
      data,
      `import { existsSync } from "node:fs";
       export default function* () {
         for (let b = 0; b < 12; b++) {
           const isWhole = existsSync(${JSON.stringify(file("mended"))}) || b !== 5;
           yield { data: new Array(64).fill(0).map((_, k) => (isWhole ? k % (b + 2) : NaN)), shape: [1, 1, 8, 8] };
         }
       }`,
    );
    const { status, err } = await batchnorm(...argv(data, "broken.onnx"));
    expect(err).toMatch(/runtime-failure: shard-6 failed: received "non-finite: Batch 1 of the data gives no usable/);
    expect(status).toBe(2);
    appendFileSync(file("mended"), "");
    const again = await batchnorm(...argv(data, "broken.onnx"));
    expect(again.err).toBe("");
    expect(again.status).toBe(0);
  });

  it("refuses what cannot be", async () => {
    const data = batches("refused.mjs");
    const refused = async (message: string, ...more: string[]) => {
      const { status, err } = await batchnorm("recalibrate", digits, "--data", data, "--out", file("x.onnx"), ...more);
      expect(err).toContain(message);
      expect(status).toBe(2);
    };
    await refused("invalid-argument: The address of the Redis server is wrong", "--redis", "localhost");
    await refused("runtime-failure: The Redis server does not answer", "--redis", `redis://127.0.0.1:${await freePort()}`);
    await refused("invalid-argument: Shards are measured in one pass", "--redis", url, "--rounds", "exact");
    await refused("invalid-argument: The machines at a Redis server choose", "--redis", url, "--shard", "1/2");
  });
});
