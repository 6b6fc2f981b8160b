import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { compareRuns, type Run } from "../src/execute/index.ts";
import type { OnnxModel } from "../src/index.ts";
import { expectCode } from "./expect-code.ts";
import { Models } from "./model-builder.ts";

/** y = x times each of the factors, `[3]`. */
function times(factors: readonly number[], output: string = "y"): OnnxModel {
  const models = new Models();
  models.op("Mul", [models.input("x", [3]), models.float(factors)], {}, output);
  return models.output(output, [3]).model();
}

const inputs = { x: new ort.Tensor("float32", Float32Array.of(1, -2, 4), [3]) };
const run = (model: OnnxModel): Run => ({ model, ort, inputs });

describe("compareRuns", () => {
  it("finds the largest difference and its place", async () => {
    const { values, missing, passed } = await compareRuns(run(times([1, 1, 1])), run(times([1, 2, 1.25])));
    expect(values).toEqual([
      { kind: "output", name: "y", shapes: [[3], [3]], difference: 2, largest: 4, worst: { index: 1, values: [-2, -4] } },
    ]);
    expect([missing, passed]).toEqual([[], null]);
  });

  it("judges outputs by a tolerance, and takes them by their order", async () => {
    const [a, b] = [run(times([1, 1, 1])), run(times([1, 1, 1.25], "z"))];
    expect((await compareRuns(a, b, 0.25)).passed).toBe(true);
    expect((await compareRuns(a, b, 0.2)).passed).toBe(false);
    expect((await compareRuns(a, a, 0)).passed).toBe(true);
  });

  it("takes a NaN for the largest difference, unless both are", async () => {
    const spoilt = run(times([1, Number.NaN, 1]));
    const { values, passed } = await compareRuns(run(times([1, 1, 1])), spoilt, 1e9);
    expect([values[0].difference, values[0].worst, passed]).toEqual([Infinity, { index: 1, values: [-2, Number.NaN] }, false]);
    expect((await compareRuns(spoilt, spoilt, 0)).passed).toBe(true);
  });

  it("refuses models with nothing in common", async () => {
    const models = new Models();
    models.op("Not", [models.op("Greater", [models.input("x", [3]), models.float([0])])], {}, "y");
    await expectCode("invalid-argument", () => compareRuns(run(times([1, 1, 1])), run(models.output("y", [3], "bool").model())));
  });
});
