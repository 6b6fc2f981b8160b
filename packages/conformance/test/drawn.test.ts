import { asynchronousBackend, referenceBackend } from "@batchnorm/reference";
import { describe, expect, it } from "vitest";
import { outlineOf, whySkipped } from "../src/checks/outline.ts";
import { judge } from "../src/lives/judge.ts";
import { type LifeOptions, live } from "../src/lives/life.ts";
import { oracle } from "../src/properties/oracle.ts";
import { ALL_MODES, step } from "../src/trials/modes.ts";
import { buildTrial, outlineOfTrial, type Trial } from "../src/trials/trial.ts";
import { type Layer, withTruth } from "./exact.ts";

const TRIAL: Trial = { name: "all modes", axis: 1, steps: ALL_MODES.map((mode) => step(mode, [5, 3, 7])) };

describe("a trial", () => {
  it("has the same numbers for the same seed, and others for another", () => {
    const [a, b, c] = [buildTrial(TRIAL, "3.2", 7), buildTrial(TRIAL, "3.2", 7), buildTrial(TRIAL, "3.2", 8)];
    expect(a).toEqual(b);
    expect(a.steps[0].x).not.toEqual(c.steps[0].x);
  });

  it("asks before it is built for what it asks when it is", () => {
    const built = outlineOf(buildTrial(TRIAL, "3.2", 7));
    expect(outlineOfTrial(TRIAL)).toEqual(built);
    expect(whySkipped(built, { ...referenceBackend("any").supports, masks: false })).toBe("masks are not supported");
  });

  it("has masks of bytes, and infinities where float32 ends", () => {
    const [masked] = buildTrial({ ...TRIAL, steps: [step("masked", [200, 3])] }, "9.1", 1).steps;
    expect(new Set(masked.mask)).toEqual(new Set([0, 1, 2, 255]));
    const huge: Trial = { ...TRIAL, gamma: () => 3e38, movingMean: () => 0, steps: [step("inference", [4, 3], { x: () => 1000 })] };
    expect(buildTrial(huge, "5.1", 1).steps[0].truth.y?.every((value) => value === Number.POSITIVE_INFINITY)).toBe(true);
  });
});

describe("the oracle", () => {
  it("agrees with sums that are computed in another way, masks and gradients included", () => {
    const layer: Layer = {
      config: { momentum: 0.75, epsilon: 0.01, varianceEstimator: "sample" },
      gamma: [1.5, -0.5],
      beta: [0.25, 2],
      movingMean: [1, -1],
      movingVariance: [2, 0.5],
      batches: [{ x: [1e4, 2, 1e4 + 3, 4, 1e4 - 5, 60], mask: [1, 0, 1], dy: [1, 2, -3, 4, 5, -6] }],
    };
    const { config, state, steps } = withTruth(layer);
    const { batch, ...truth } = oracle({ ...steps[0], config, ...state.parameters, ...state.statistics });
    for (const [name, values] of Object.entries(truth)) {
      const wanted = steps[0].truth[name as "y"]!;
      values!.forEach((value, k) => {
        expect([name, k, Math.abs(value - wanted[k]) <= 1e-12 * Math.max(1, Math.abs(wanted[k]))]).toEqual([name, k, true]);
      });
    }
    expect(batch?.mean[0]).toBe(1e4 - 2.5);
  });
});

describe("a life", () => {
  const options: LifeOptions = {
    weights: { call: 8, backward: 4, setState: 2, state: 1, freeze: 2, refuse: 2, visit: 1 },
    layers: 2,
    overlap: false,
    out: 0.5,
    shapes: 9,
  };
  const inputs = async (seed: number): Promise<unknown> => {
    const { layers } = await live(referenceBackend("any"), options, 40, seed);
    return layers.map(({ config, events }) => [config, events.map((event) => (event.kind === "call" ? event.input : event.update))]);
  };

  it("is the same for the same seed, on any backend, and another for another", async () => {
    expect(await inputs(3)).toEqual(await inputs(3));
    expect(await inputs(3)).not.toEqual(await inputs(4));
  });

  it("is judged alike whether its calls overlap or not", async () => {
    for (const overlap of [false, true]) {
      const { layers, violations } = await live(asynchronousBackend("any"), { ...options, overlap }, 40, 5);
      expect(violations).toEqual([]);
      for (const layer of layers) expect((await judge(layer, "3.2", referenceBackend("any").supports)).failures).toEqual([]);
    }
  });

  it("tells which number is wrong", async () => {
    const wrong = referenceBackend("wrong", { output: (x, mean, inverse, gamma, beta) => gamma * (x - mean) * inverse + beta + 1e-3 });
    const { layers } = await live(wrong, options, 40, 5);
    const { failures } = await judge(layers[0], "3.2", wrong.supports);
    expect(failures[0].message).toMatch(/^clause 3\.2, step \d+, y\[[\d,]+\]: expected .*, got .*; the error is/);
  });
});
