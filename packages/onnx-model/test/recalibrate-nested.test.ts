import { momentsOf } from "@batchnorm/spec/moments";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { type Feeds, measureShard, mergePartials, recalibrate } from "../src/execute/index.ts";
import { find, type OnnxModel, readStates } from "../src/index.ts";
import { expectCode } from "./expect-code.ts";
import { modelOf } from "./fixtures.ts";
import { float, Models, valueInfo } from "./model-builder.ts";

/**
 * y = x + 1, normalized in a branch of its own for each condition; the other one normalizes the outcome once more. What the
 * first layer of a branch reads comes from around it, or, with `isInside`, from a node of the branch.
 */
function branches(): OnnxModel {
  const models = new Models();
  models.input("x", ["N", 2]);
  models.input("condition", [], "bool");
  const arrays = (name: string): string[] =>
    [
      [1, 2],
      [0, 1],
      [0, 0],
      [1, 1],
    ].map((values, k) => models.float(values, [2], `${name}_${k}`));
  const around = models.op("Add", ["x", models.float([1])]);
  const branch = (name: string, double: boolean) => {
    const inner = new Models();
    const hidden = double ? inner.op("Mul", [around, inner.initializer(float(`${name}_two`, [2]))], {}, `${name}_hidden`) : around;
    inner.ops("BatchNormalization", [hidden, ...arrays(name)], {}, [`${name}_y`], { name });
    inner.graph.output.push(valueInfo(`${name}_y`, ["N", 2]));
    return inner.graph;
  };
  models.ops("If", ["condition"], { then_branch: branch("then", false), else_branch: branch("else", true) }, ["h"]);
  models.ops("BatchNormalization", ["h", ...arrays("last")], {}, ["y"], { name: "last" });
  return models.output("y", ["N", 2]).model();
}

function feedsOf(condition: boolean, ...data: number[]): Feeds {
  return {
    x: new ort.Tensor("float32", Float32Array.from(data), [data.length / 2, 2]),
    condition: new ort.Tensor("bool", [condition], []),
  };
}

/** Batches of 2 and 1 rows that take one branch, then the other one, and again. */
const batches = [
  feedsOf(true, 1, 2, 3, 4),
  feedsOf(false, 5, 7),
  feedsOf(true, 6, 8, 1, 0),
  feedsOf(true, 3, 3, 4, 4),
  feedsOf(false, 9, 1),
];
const model = branches();
const [THEN, ELSE, LAST] = ["then", "else", "last"] as const;

describe("recalibrate in branches", () => {
  const read = {
    [THEN]: momentsOf({ data: Float32Array.of(2, 3, 4, 5, 7, 9, 2, 1, 4, 4, 5, 5), shape: [6, 2] }, 1),
    [ELSE]: momentsOf({ data: Float32Array.of(12, 16, 20, 4), shape: [2, 2] }, 1),
  };

  it("takes what a layer read in the batches that took its branch", async () => {
    const result = await recalibrate(model, { ort, batches });
    expect(result.skipped).toEqual([]);
    expect(result.moments[THEN]).toEqual(read[THEN]);
    expect(result.moments[ELSE]).toEqual(read[ELSE]);
    expect(result.moments[LAST].count).toBe(8);
  });

  it("leaves a layer whose branch no batch took as it was, and says so", async () => {
    const result = await recalibrate(model, { ort, batches: batches.slice(0, 1) });
    expect(result.skipped).toEqual([{ layer: ELSE, code: "not-executed", why: "No batch took the branch of the layer." }]);
    expect(result.moments[ELSE]).toEqual({ count: 0, mean: new Float64Array(2), centeredSum: new Float64Array(2) });
    const [before, after] = [(await readStates(model)).states, (await readStates(result.model)).states];
    expect(after[ELSE]).toEqual(before[ELSE]);
    expect(after[THEN]).not.toEqual(before[THEN]);
    expect(result.drift.map(({ layer }) => layer).sort()).toEqual([LAST, THEN].sort());
    await expectCode("empty-batch", () => recalibrate(model, { ort, layers: [ELSE], batches: batches.slice(0, 1) }));
    await expectCode("empty-batch", () => recalibrate(model, { ort, batches: [] }));
  });

  it("measures what follows a branch after the branch, in rounds that are exact", async () => {
    const { moments, model: exact } = await recalibrate(model, { ort, rounds: "exact", batches });
    expect(moments[THEN]).toEqual(read[THEN]);
    expect(moments[ELSE]).toEqual(read[ELSE]);
    const again = await recalibrate(exact, { ort, batches });
    expect(again.drift[0].drift).toBeLessThan(1e-6);
  });

  it("merges shards of which some took a branch", async () => {
    const whole = await recalibrate(model, { ort, batches });
    const data = { of: 2, totalSamples: 8, data: "" };
    const shards = [
      await measureShard(model, { ort, batches: batches.slice(0, 1), shard: { index: 1, samples: 2, ...data } }),
      await measureShard(model, { ort, batches: batches.slice(1), shard: { index: 2, samples: 6, ...data } }),
    ];
    const merged = await mergePartials(model, JSON.parse(JSON.stringify(shards)));
    for (const name of [THEN, ELSE, LAST]) expect(merged.moments[name].count).toBe(whole.moments[name].count);
    expect(merged.moments[ELSE]).toEqual(whole.moments[ELSE]);
  });
});

describe("recalibrate in functions and loops", () => {
  const x = (k: number): Feeds => ({
    x: new ort.Tensor(
      "float32",
      Float32Array.from({ length: 150 }, (_, i) => Math.sin(i + k)),
      [2, 3, 5, 5],
    ),
  });

  it("measures each call of a function that has arrays of its own", async () => {
    const result = await recalibrate(modelOf({ file: "handmade/local-function.onnx" }), { ort, rounds: "exact", batches: [x(0), x(1)] });
    expect([Object.keys(result.moments), result.skipped]).toEqual([["first", "second"], []]);
    expect(result.moments.second.count).toBe(100);
    expect((await recalibrate(result.model, { ort, batches: [x(0), x(1)] })).drift[0].drift).toBeLessThan(1e-6);
  });

  it("refuses layers whose arrays are those of several calls, before it reads data", async () => {
    const unread = () => expect.unreachable("the data is read");
    await expectCode("cannot-convert", () => recalibrate(modelOf({ file: "handmade/function-constants.onnx" }), { ort, batches: unread }));
  });

  it.each(["loop-body", "nested-if-in-loop", "scan"])("finds a layer in a loop, and says why it is skipped: %s", async (id) => {
    const known = id === "scan" ? scanned() : modelOf({ file: `handmade/${id}.onnx` });
    expect((await find(known)).layers.map(({ name }) => name)).toContain("bn");
    const loop = id === "scan" ? "scan/body" : "loop/body";
    await expect(recalibrate(known, { ort, batches: [x(0)] })).rejects.toThrow(`${loop}`);
  });
});

/** A layer in the body of a Scan over the rows of x, whose state is the row before. */
function scanned(): OnnxModel {
  const body = new Models();
  body.input("state", [1, 2]);
  body.input("row", [1, 2]);
  const sum = body.op("Add", ["state", "row"]);
  const arrays = [1, 0, 0, 1].map((value, k) => body.initializer(float(`array_${k}`, [value, value])));
  body.ops("BatchNormalization", [sum, ...arrays], {}, ["next"], { name: "bn" });
  body.ops("Identity", ["next"], {}, ["seen"]);
  body.output("next", [1, 2]).output("seen", [1, 2]);
  const models = new Models();
  models.input("x", ["N", 1, 2]);
  models.ops("Scan", [models.float([0, 0], [1, 2]), "x"], { body: body.graph, num_scan_inputs: 1 }, ["last", "y"], { name: "scan" });
  return models.output("y", ["N", 1, 2]).model();
}
