import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { batchnorm, fixture, startBatchnorm, temporaryFolder } from "./run.ts";

const file = temporaryFolder();
const digits = fixture("recalibration/digits.onnx");

/** 30 batches, which say when they are read. Slow ones wait for a moment before each, so that a test can stop them. */
function batches(name: string): string {
  const path = file(name);
  writeFileSync(
    path,
    `export default async function* () {
       for (let b = 0; b < 30; b++) {
         if (process.env.SLOW) await new Promise((resolve) => setTimeout(resolve, 40));
         if (process.env.SLOW && b === 5) process.stderr.write("five\\n");
         yield { data: Float32Array.from({ length: 128 }, (_, k) => Math.sin(k * b) + b / 9), shape: [2, 1, 8, 8] };
       }
     }`,
  );
  return path;
}

/** Runs the command until five batches were read, and sends it a signal. */
async function interrupted(signal: NodeJS.Signals, ...argv: string[]) {
  process.env.SLOW = "1";
  const { child, ended } = startBatchnorm(argv);
  delete process.env.SLOW;
  child.stderr!.on("data", (text) => {
    if (String(text).includes("five")) child.kill(signal);
  });
  return ended;
}

describe("Ctrl-C", () => {
  it.each([["SIGINT", "one"] as const, ["SIGTERM", "exact"] as const])("%s keeps what was measured, rounds %s", async (signal, rounds) => {
    const data = batches(`${rounds}.mjs`);
    const out = file(`${rounds}.onnx`);
    const argv = ["recalibrate", digits, "--data", data, "--rounds", rounds, "--out", out];
    const { status, err } = await interrupted(signal, ...argv);
    expect(err).toContain(`Stopped. The same command goes on from ${out}.checkpoint.json`);
    expect(status).toBe(130);
    expect(existsSync(out)).toBe(false);
    const kept = JSON.parse(readFileSync(`${out}.checkpoint.json`, "utf8"));
    expect(kept.pass).toBe(0);
    expect(kept.batches).toBeGreaterThanOrEqual(5);
    expect(kept.batches).toBeLessThan(30);

    const second = await batchnorm(...argv);
    expect(second.err).toBe(`Going on from ${out}.checkpoint.json.\n`);
    expect(second.status).toBe(0);
    expect(existsSync(`${out}.checkpoint.json`)).toBe(false);
    await batchnorm(...argv.slice(0, -1), file("whole.onnx"));
    expect(readFileSync(out).equals(readFileSync(file("whole.onnx")))).toBe(true);
  });

  it("of a shard, too", async () => {
    const out = file("2.json");
    const argv = ["recalibrate", digits, "--data", batches("shard.mjs"), "--shard", "2/3", "--out", out];
    expect((await interrupted("SIGINT", ...argv)).status).toBe(130);
    expect((await batchnorm(...argv)).status).toBe(0);
    await batchnorm(...argv.slice(0, -1), file("whole.json"));
    expect(readFileSync(out, "utf8")).toBe(readFileSync(file("whole.json"), "utf8"));
  });

  it("of another run is refused by name, unless that is dropped", async () => {
    const out = file("foreign.onnx");
    const argv = ["recalibrate", digits, "--data", batches("foreign.mjs"), "--out", out];
    await interrupted("SIGINT", ...argv);
    const refused = async (...more: string[]) => {
      const { status, err } = await batchnorm(...more, "--out", out);
      expect(err).toContain(`invalid-argument: ${out}.checkpoint.json is not of this run`);
      expect(status).toBe(2);
    };
    await refused("recalibrate", digits, "--data", batches("other.mjs"));
    await refused("recalibrate", digits, "--data", argv[3], "--rounds", "exact");
    await refused("recalibrate", fixture("tf-keras/digits.onnx"), "--data", argv[3]);
    expect((await batchnorm(...argv, "--rounds", "exact", "--restart")).status).toBe(0);
    expect(existsSync(`${out}.checkpoint.json`)).toBe(false);
    writeFileSync(`${out}.checkpoint.json`, "{}");
    await refused(...argv.slice(0, 4));
  });
});

describe("an output that cannot be written", () => {
  it("is refused before anything is measured", async () => {
    const out = file("nowhere/new.onnx");
    const { err } = await batchnorm("recalibrate", digits, "--data", batches("never.mjs"), "--out", out);
    expect(err).toContain("invalid-argument: The folder does not exist");
  });
});
