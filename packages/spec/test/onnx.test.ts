import { describe, expect, test } from "vitest";
import { fromOnnxAttributes, type OnnxAttributes, type OnnxInputs, toOnnxAttributes } from "../src/convert/index.ts";
import { initialState, resolveConfig } from "../src/index.ts";
import { expectRefusal, type Refusal } from "./expect-error.ts";

const f32 = (...values: number[]): Float32Array => Float32Array.from(values);
const inputs = { scale: [1, -2], B: [0.5, 0], input_mean: [3, -1], input_var: [4, 0.25] };
const config = resolveConfig({ axis: 1 });

describe("fromOnnxAttributes", () => {
  test("has ONNX's defaults for what the node does not say", () => {
    expect(fromOnnxAttributes({}, inputs)).toEqual({
      config: {
        axis: 1,
        momentum: 0.9,
        epsilon: 1e-5,
        center: true,
        scale: true,
        trainable: true,
        varianceEstimator: "population",
        nonFinite: "propagate",
      },
      state: {
        parameters: { gamma: f32(1, -2), beta: f32(0.5, 0) },
        statistics: { movingMean: f32(3, -1), movingVariance: f32(4, 0.25) },
      },
      training: false,
    });
  });

  test("does not repair what float32 made of an attribute", () => {
    const { config: read } = fromOnnxAttributes({ epsilon: 9.999999747378752e-6, momentum: 0.8999999761581421 }, inputs);
    expect(read.epsilon).toBe(9.999999747378752e-6);
    expect(read.momentum).toBe(0.8999999761581421);
  });

  test.for<[number | bigint, boolean]>([
    [0, false],
    [1, true],
    [0n, false],
    [1n, true],
  ])("training_mode %s is training %s", ([mode, training]) => {
    expect(fromOnnxAttributes({ training_mode: mode }, inputs).training).toBe(training);
  });

  const refusal = (title: string, attributes: object | null, given: object | null, received: string, expected: string): Refusal => ({
    title,
    action: () => fromOnnxAttributes(attributes as OnnxAttributes, given as OnnxInputs),
    received,
    expected,
  });

  test.for([
    refusal("spatial", { spatial: 1 }, inputs, '"spatial"', "opset 9 or later"),
    refusal("is_test", { epsilon: 1e-5, is_test: 1 }, inputs, '"is_test"', "opset 9 or later"),
    refusal("consumed_inputs", { consumed_inputs: [0, 0] }, inputs, '"consumed_inputs"', "opset 9 or later"),
  ])("cannot convert $title of an old opset", (each) => expectRefusal("cannot-convert", each));

  test.for([
    refusal("an unknown attribute", { axis: 1 }, inputs, '"axis"', "only the keys epsilon, momentum, training_mode"),
    refusal("null", null, inputs, "null", "an object with the keys epsilon"),
    refusal("training_mode 2", { training_mode: 2 }, inputs, "2", "0 or 1"),
    refusal("training_mode true", { training_mode: true }, inputs, "true", "0 or 1"),
  ])("refuses $title", (each) => expectRefusal("invalid-argument", each));

  test.for([
    refusal("opset 9's names", {}, { scale: [1], B: [0], mean: [0], var: [1] }, '"mean"', "scale, B, input_mean, input_var"),
    refusal("a missing one", {}, { scale: [1], B: [0], input_mean: [0] }, "an object with scale, B, input_mean", "input_var"),
    refusal("none", {}, null, "null", "an object with the keys scale"),
    refusal("scale null", {}, { ...inputs, scale: "1" }, '"1"', "a Float32Array or an array of numbers"),
  ])("refuses inputs: $title", (each) => expectRefusal("invalid-state", each));
});

describe("toOnnxAttributes", () => {
  test("gives back the node", () => {
    const attributes = { epsilon: 9.999999747378752e-6, momentum: 0.8999999761581421, training_mode: 1 };
    const { config: read, state, training } = fromOnnxAttributes(attributes, inputs);
    expect(toOnnxAttributes(read, state, { training })).toEqual({
      attributes,
      inputs: { scale: f32(1, -2), B: f32(0.5, 0), input_mean: f32(3, -1), input_var: f32(4, 0.25) },
    });
  });

  test.for<[boolean | undefined, boolean, 0 | 1]>([
    [undefined, true, 0],
    [false, true, 0],
    [true, true, 1],
    [true, false, 0],
    [false, false, 0],
  ])("training %s of a layer with trainable %s is training_mode %i", ([training, trainable, mode]) => {
    const options = training === undefined ? {} : { training };
    expect(toOnnxAttributes({ ...config, trainable }, initialState(config, 1), options).attributes.training_mode).toBe(mode);
  });

  test("fills in scale with ones and B with zeros", () => {
    const bare = { ...config, scale: false, center: false };
    expect(toOnnxAttributes(bare, initialState(bare, 2)).inputs).toMatchObject({ scale: f32(1, 1), B: f32(0, 0) });
  });

  test("shares no memory with the state", () => {
    const state = initialState(config, 1);
    const node = toOnnxAttributes(config, state);
    state.parameters.beta?.fill(9);
    state.statistics.movingVariance.fill(9);
    expect(node.inputs).toMatchObject({ B: f32(0), input_var: f32(1) });
  });

  const state = initialState(config, 1);
  test.for<Refusal>([
    { title: "axis -1", action: () => toOnnxAttributes({ ...config, axis: -1 }, state), received: "-1", expected: "axis 1" },
    {
      title: "the sample estimator",
      action: () => toOnnxAttributes({ ...config, varianceEstimator: "sample" }, state),
      received: '"sample"',
      expected: "varianceEstimator 'population', set explicitly",
    },
  ])("cannot convert $title", (each) => expectRefusal("cannot-convert", each));

  test.for<Refusal>([
    {
      title: "training 1",
      action: () => toOnnxAttributes(config, state, { training: 1 as never }),
      received: "1",
      expected: "true or false",
    },
    {
      title: "other options",
      action: () => toOnnxAttributes(config, state, { opset: 14 } as never),
      received: '"opset"',
      expected: "only the keys training",
    },
  ])("refuses $title", (each) => expectRefusal("invalid-argument", each));
});
