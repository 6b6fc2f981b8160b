import { describe, expect, test } from "vitest";
import { fromPyTorch, type PyTorchModule, type PyTorchStateDict, toPyTorch } from "../src/convert/index.ts";
import { initialState, resolveConfig } from "../src/index.ts";
import { expectRefusal, type Refusal } from "./expect-error.ts";

const f32 = (...values: number[]): Float32Array => Float32Array.from(values);
const stateDict = { weight: [1, -2], bias: [0.5, 0], running_mean: [3, -1], running_var: [4, 0.25], num_batches_tracked: 7 };
const statistics = { running_mean: [3, -1], running_var: [4, 0.25] };
const sample = resolveConfig({ axis: 1, varianceEstimator: "sample" });

describe("fromPyTorch", () => {
  test("has PyTorch's defaults for what the module does not say", () => {
    expect(fromPyTorch({ num_features: 2 }, stateDict)).toEqual({
      config: {
        axis: 1,
        momentum: 0.9,
        epsilon: 1e-5,
        center: true,
        scale: true,
        trainable: true,
        varianceEstimator: "sample",
        nonFinite: "propagate",
      },
      state: {
        parameters: { gamma: f32(1, -2), beta: f32(0.5, 0) },
        statistics: { movingMean: f32(3, -1), movingVariance: f32(4, 0.25) },
      },
    });
  });

  test("takes what the module says", () => {
    const module = { num_features: 2, eps: 1e-3, momentum: 0.01, affine: false, track_running_stats: true };
    expect(fromPyTorch(module, { ...statistics, weight: null, bias: null })).toMatchObject({
      config: { epsilon: 1e-3, momentum: 0.99, center: false, scale: false },
      state: { parameters: { gamma: null, beta: null } },
    });
  });

  const refusal = (title: string, module: object | null, dict: object | null, received: string, expected: string): Refusal => ({
    title,
    action: () => fromPyTorch(module as PyTorchModule, dict as PyTorchStateDict),
    received,
    expected,
  });
  const two = { num_features: 2 };

  test.for([
    refusal("momentum null", { ...two, momentum: null }, stateDict, "null", "the moving average here is exponential"),
    refusal("track_running_stats false", { ...two, track_running_stats: false }, {}, "false", "inference here uses the moving statistics"),
  ])("cannot convert $title", (each) => expectRefusal("cannot-convert", each));

  test.for([
    refusal("an unknown key", { ...two, epsilon: 1 }, stateDict, '"epsilon"', "num_features, eps, momentum, affine, track_running_stats"),
    refusal("null", null, stateDict, "null", "an object with the keys num_features"),
    refusal("no num_features", { eps: 1e-5 }, stateDict, "an object with eps", "num_features"),
    refusal("no features", { num_features: 0 }, stateDict, "0", "a positive integer"),
    refusal("affine as a number", { ...two, affine: 1 }, stateDict, "1", "true or false"),
    refusal("track_running_stats null", { ...two, track_running_stats: null }, stateDict, "null", "true or false"),
  ])("refuses a module: $title", (each) => expectRefusal("invalid-argument", each));

  test.for([
    refusal(
      "a key with its module's name",
      two,
      { ...stateDict, "bn1.weight": [1, 1] },
      '"bn1.weight"',
      "weight, bias, running_mean, running_var",
    ),
    refusal(
      "no running_mean",
      two,
      { weight: [1, 1], bias: [0, 0], running_var: [1, 1] },
      "an object with weight, bias, running_var",
      "running_mean",
    ),
    refusal("no running_var", two, { running_mean: [1, 1] }, "an object with running_mean", "running_mean, running_var"),
    refusal("no object", two, null, "null", "an object with the keys weight"),
  ])("refuses a state_dict: $title", (each) => expectRefusal("invalid-state", each));

  test.for([
    refusal("weight", two, { ...stateDict, weight: null }, "null", "one number per channel, since affine is on"),
    refusal("bias", two, { ...statistics, weight: [1, 1] }, "null", "since affine is on"),
  ])("misses $title", (each) => expectRefusal("missing-parameter", each));

  test("does not expect bias without affine", () =>
    expectRefusal(
      "unexpected-parameter",
      refusal("", { ...two, affine: false }, { ...statistics, bias: [0, 0] }, '"bias"', "no bias, since affine is off"),
    ));

  test.for([
    refusal("num_features", { num_features: 3 }, stateDict, "2", "3, the num_features"),
    refusal("running_var", two, { ...stateDict, running_var: [1] }, "1", "2, one number per channel"),
  ])("refuses another length than $title's", (each) => expectRefusal("wrong-length", each));

  test("names the setting that the contract refuses", () => {
    expect(() => fromPyTorch({ num_features: 2, eps: 0 }, stateDict)).toThrow("epsilon is out of range: received 0");
    expect(() => fromPyTorch({ num_features: 2, momentum: "0.1" as never }, stateDict)).toThrow(
      `PyTorch's momentum is out of range: received "0.1"`,
    );
  });
});

describe("momentum", () => {
  test.for([
    [0.1, 0.9],
    [0.9, 0.1],
    [0.01, 0.99],
    [0.99, 0.01],
    [0.0001, 0.9999],
    [0.9999, 0.0001],
    [0.3, 0.7],
    [0.003, 0.997],
    [1e-10, 0.9999999999],
    [1, 0],
    [0, 1],
  ])("%d in PyTorch is %d here, and back", ([theirs, ours]) => {
    const { config, state } = fromPyTorch({ num_features: 2, momentum: theirs }, stateDict);
    expect(config.momentum).toBe(ours);
    expect(toPyTorch(config, state).module.momentum).toBe(theirs);
  });
});

describe("toPyTorch", () => {
  test("gives back the module and the state_dict, less the batch count", () => {
    const module = { num_features: 2, eps: 1e-5, momentum: 0.1, affine: true, track_running_stats: true };
    const { config, state } = fromPyTorch(module, stateDict);
    expect(toPyTorch(config, state)).toEqual({
      module,
      stateDict: { weight: f32(1, -2), bias: f32(0.5, 0), running_mean: f32(3, -1), running_var: f32(4, 0.25) },
    });
  });

  test("without gamma and beta is not affine, and has no weight and bias keys", () => {
    const config = { ...sample, scale: false, center: false };
    const { module, stateDict: written } = toPyTorch(config, initialState(config, 2));
    expect(module.affine).toBe(false);
    expect(Object.keys(written)).toEqual(["running_mean", "running_var"]);
  });

  test("fills in the one of gamma and beta that is absent", () => {
    const noGamma = { ...sample, scale: false };
    const state = initialState(noGamma, 2);
    state.parameters.beta?.fill(3);
    expect(toPyTorch(noGamma, state)).toMatchObject({ module: { affine: true }, stateDict: { weight: f32(1, 1), bias: f32(3, 3) } });
    const noBeta = { ...sample, center: false };
    expect(toPyTorch(noBeta, initialState(noBeta, 2)).stateDict.bias).toEqual(f32(0, 0));
  });

  test("shares no memory with the state", () => {
    const state = initialState(sample, 1);
    const { stateDict: written } = toPyTorch(sample, state);
    state.parameters.gamma?.fill(9);
    state.statistics.movingMean.fill(9);
    expect(written).toMatchObject({ weight: f32(1), running_mean: f32(0) });
  });

  test("leaves out trainable and nonFinite, which PyTorch's module does not have", () => {
    const state = initialState(sample, 1);
    expect(toPyTorch({ ...sample, trainable: false, nonFinite: "reject" }, state)).toEqual(toPyTorch(sample, state));
  });

  const state = initialState(sample, 1);
  test.for<Refusal>([
    { title: "axis -1", action: () => toPyTorch({ ...sample, axis: -1 }, state), received: "-1", expected: "axis 1" },
    {
      title: "the population estimator",
      action: () => toPyTorch({ ...sample, varianceEstimator: "population" }, state),
      received: '"population"',
      expected: "varianceEstimator 'sample', set explicitly",
    },
  ])("cannot convert $title", (each) => expectRefusal("cannot-convert", each));
});
