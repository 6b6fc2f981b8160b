import { readVectors } from "@batchnorm/conformance/node";
import { expect, test } from "vitest";
import { withSampleVariance } from "../src/sample-variance.ts";

const { cases } = await readVectors();
const byId = (id: string) => cases.find((each) => each.id === id)!;

test("the moving variance takes n / (n - 1) of the batch's, and nothing else changes", () => {
  const original = byId("training/rank3-axis2-2x3x5");
  const sample = withSampleVariance(original)!;
  const [before, after] = [original.steps[0], sample.steps[0]];
  const { momentum } = original.config;
  const n = 6;
  const expected = Array.from(before.batch!.variance, (variance, c) => {
    const old = original.state.statistics.movingVariance[c];
    return momentum * old + ((1 - momentum) * variance * n) / (n - 1);
  });
  expect(sample.config.varianceEstimator).toBe("sample");
  for (const [c, value] of expected.entries()) expect(after.truth.movingVariance![c]).toBeCloseTo(value, 12);
  expect(after.truth.y).toBe(before.truth.y);
  expect(after.truth.movingMean).toBe(before.truth.movingMean);
});

test("a vector that normalizes with a moving variance after training is left out", () => {
  expect(withSampleVariance(byId("trajectory/momentum0-rank3-axis1-2x2x3-then-inference"))).toBeNull();
});

test("a vector of the sample variance is as it was", () => {
  const original = cases.find(({ config }) => config.varianceEstimator === "sample")!;
  expect(withSampleVariance(original)).toBe(original);
});
