import { describe, expect, test } from "vitest";
import { fromKerasConfig, fromKerasWeights, toKerasConfig, toKerasWeights } from "../src/convert/index.ts";
import { initialState, resolveConfig } from "../src/index.ts";
import { expectRefusal, type Refusal } from "./expect-error.ts";
import { KERAS3, KERAS3_IN_MODEL, KERAS3_MIXED, TF_KERAS, TF_KERAS_IN_MODEL, TF_KERAS_RENORM, TF_KERAS_UNBUILT } from "./keras-configs.ts";

const f32 = (...values: number[]): Float32Array => Float32Array.from(values);
const edited = (title: string, edit: object, received: string, expected: string): Refusal => ({
  title,
  action: () => fromKerasConfig({ ...KERAS3, ...edit }),
  received,
  expected,
});

describe("fromKerasConfig", () => {
  test("reads Keras 3", () => {
    expect(fromKerasConfig(KERAS3).config).toEqual({
      axis: -1,
      momentum: 0.99,
      epsilon: 0.001,
      center: true,
      scale: true,
      trainable: true,
      varianceEstimator: "population",
      nonFinite: "propagate",
    });
  });

  test("reads every field, none by its default", () => {
    const config = { axis: 2, momentum: 0.5, epsilon: 0.25, center: false, scale: false, trainable: false };
    expect(fromKerasConfig({ ...KERAS3, ...config }).config).toMatchObject(config);
  });

  test("reads tf-keras, built or not, with the axis as a number", () => {
    expect(fromKerasConfig(TF_KERAS).config.axis).toBe(1);
    expect(fromKerasConfig(TF_KERAS_UNBUILT).config.axis).toBe(1);
  });

  test("reads the entry of a saved model", () => {
    expect(fromKerasConfig(KERAS3_IN_MODEL).config).toMatchObject({ axis: -1, trainable: false });
    expect(fromKerasConfig(TF_KERAS_IN_MODEL).config).toMatchObject({ axis: 3, trainable: true });
  });

  test("takes the caller's word for the estimator", () => {
    expect(fromKerasConfig(TF_KERAS_IN_MODEL, { varianceEstimator: "sample" }).config.varianceEstimator).toBe("sample");
    expect(fromKerasConfig(TF_KERAS_IN_MODEL).config.varianceEstimator).toBe("population");
  });

  test("keeps in `outside` what the contract does not have, and only that", () => {
    const { outside } = fromKerasConfig({ ...TF_KERAS_IN_MODEL, config: TF_KERAS });
    expect(Object.keys(outside.config).sort()).toEqual(
      [
        "batch_input_shape",
        "beta_constraint",
        "beta_initializer",
        "beta_regularizer",
        "dtype",
        "gamma_constraint",
        "gamma_initializer",
        "gamma_regularizer",
        "moving_mean_initializer",
        "moving_variance_initializer",
        "name",
      ].sort(),
    );
    expect(outside.axisAsList).toBe(true);
    expect(outside.wrapper).toEqual({
      module: "keras.layers",
      class_name: "BatchNormalization",
      registered_name: null,
      build_config: { input_shape: [null, 4] },
    });
  });

  test.for(["float32", "mixed_float16", "mixed_bfloat16", undefined])("takes dtype %s: the variables are float32", (dtype) => {
    expect(() => fromKerasConfig({ ...KERAS3, dtype })).not.toThrow();
  });

  test.for([
    edited("float16", { dtype: "float16" }, '"float16"', "float32 or mixed_float16 or mixed_bfloat16"),
    edited("a float64 policy", { dtype: { class_name: "DTypePolicy", config: { name: "float64" } } }, '"float64"', "float32 or"),
    edited(
      "a quantized policy",
      { dtype: { class_name: "QuantizedDTypePolicy", config: { mode: "int8" } } },
      "an object with class_name, config",
      "float32 or",
    ),
    edited("null", { dtype: null }, "null", "float32 or"),
  ])("refuses dtype $title", (each) => expectRefusal("unknown-dtype", each));

  test("tolerates renorm false with its two settings, and virtual_batch_size null", () => {
    const given = { ...KERAS3, renorm_clipping: { rmax: 3 }, renorm_momentum: 0.5, virtual_batch_size: null };
    expect(fromKerasConfig(given).outside.config).toMatchObject({ renorm: false, renorm_clipping: { rmax: 3 }, virtual_batch_size: null });
  });

  test.for<Refusal>([
    edited("renorm", { renorm: true, renorm_clipping: {} }, "true", "renorm false"),
    { title: "tf-keras's renorm", action: () => fromKerasConfig(TF_KERAS_RENORM), received: "true", expected: "renorm false" },
    edited("virtual_batch_size", { virtual_batch_size: 8 }, "8", "virtual_batch_size null"),
    edited("two axes", { axis: [1, 2] }, "[1, 2]", "one axis"),
    edited("no axis", { axis: [] }, "[]", "one axis"),
    {
      title: "another class",
      action: () => fromKerasConfig({ ...KERAS3_IN_MODEL, class_name: "LayerNormalization" }),
      received: '"LayerNormalization"',
      expected: 'class_name "BatchNormalization"',
    },
    {
      title: "a custom class of the same name",
      action: () => fromKerasConfig({ ...KERAS3_IN_MODEL, registered_name: "Mine>BatchNormalization" }),
      received: '"Mine>BatchNormalization"',
      expected: "Keras's own class",
    },
  ])("cannot convert $title", (each) => expectRefusal("cannot-convert", each));

  test.for<Refusal>([
    edited("camelCase", { betaInitializer: "zeros" }, '"betaInitializer"', "only the keys trainable, axis, momentum"),
    edited("fused, which get_config() never writes", { fused: null }, '"fused"', "only the keys"),
    edited("adjustment, which get_config() never writes", { adjustment: null }, '"adjustment"', "only the keys"),
    edited(
      "no momentum",
      { momentum: undefined },
      "an object with name, trainable, dtype, axis, momentum, epsilon, center, scale",
      "momentum",
    ),
    edited("center 1", { center: 1 }, "1", "true or false"),
    { title: "null", action: () => fromKerasConfig(null), received: "null", expected: "an object with the keys trainable" },
    { title: "text", action: () => fromKerasConfig("{}"), received: '"{}"', expected: "an object with the keys trainable" },
    {
      title: "an unknown key around the config",
      action: () => fromKerasConfig({ ...KERAS3_IN_MODEL, weights: [] }),
      received: '"weights"',
      expected: "only the keys class_name, config",
    },
    {
      title: "a saved layer without a config",
      action: () => fromKerasConfig({ class_name: "BatchNormalization" }),
      received: "undefined",
      expected: "an object with the keys trainable",
    },
    {
      title: "an unknown option",
      action: () => fromKerasConfig(KERAS3, { framework: "tf-keras" } as never),
      received: '"framework"',
      expected: "only the keys varianceEstimator",
    },
    {
      title: "an unknown estimator",
      action: () => fromKerasConfig(KERAS3, { varianceEstimator: "fused" as never }),
      received: '"fused"',
      expected: "'population' or 'sample'",
    },
  ])("refuses $title", (each) => expectRefusal("invalid-argument", each));

  test.for(["trainable", "axis", "momentum", "epsilon", "center", "scale"] as const)("fills in no %s", (key) => {
    const { [key]: _, ...rest } = KERAS3;
    expect(() => fromKerasConfig(rest)).toThrow(`The Keras config has no ${key}`);
  });

  test("hands on what the contract refuses", () => {
    expect(() => fromKerasConfig({ ...KERAS3, axis: "1" })).toThrow('axis is not an integer: received "1"');
    expect(() => fromKerasConfig({ ...KERAS3, epsilon: 0 })).toThrow("epsilon is out of range: received 0");
    expect(() => fromKerasConfig({ ...KERAS3, momentum: 2 })).toThrow("momentum is out of range: received 2");
  });
});

describe("toKerasConfig", () => {
  test.for(Object.entries({ KERAS3, KERAS3_MIXED, KERAS3_IN_MODEL, TF_KERAS, TF_KERAS_UNBUILT, TF_KERAS_IN_MODEL }))(
    "gives back %s, through JSON",
    ([, given]) => {
      const { config, outside } = JSON.parse(JSON.stringify(fromKerasConfig(given)));
      expect(toKerasConfig(config, outside)).toStrictEqual(given);
    },
  );

  test("writes what was changed here", () => {
    const { config, outside } = fromKerasConfig(TF_KERAS);
    const changed = toKerasConfig({ ...config, trainable: false, axis: -1, epsilon: 0.5 }, outside);
    expect(changed).toStrictEqual({ ...TF_KERAS, trainable: false, axis: [-1], epsilon: 0.5 });
  });

  test("without outside writes the contract's keys alone", () => {
    const config = resolveConfig({ axis: 1, momentum: 0.9, scale: false, nonFinite: "reject" });
    expect(toKerasConfig(config)).toStrictEqual({ trainable: true, axis: 1, momentum: 0.9, epsilon: 0.001, center: true, scale: false });
  });

  test("does not change outside", () => {
    const { config, outside } = fromKerasConfig(KERAS3_IN_MODEL);
    const before = structuredClone(outside);
    toKerasConfig({ ...config, axis: 2 }, outside);
    expect(outside).toEqual(before);
  });

  test("outside cannot overrule the config", () => {
    const { config, outside } = fromKerasConfig(KERAS3);
    expect(toKerasConfig(config, { ...outside, config: { ...outside.config, momentum: 0 } }).momentum).toBe(0.99);
  });

  const sample = resolveConfig({ varianceEstimator: "sample" });
  test("writes the sample estimator for a Keras that has it, and for no other", () => {
    expect(toKerasConfig(sample, undefined, { varianceEstimator: "sample" })).toMatchObject({ axis: -1 });
  });

  test.for<Refusal>([
    {
      title: "'sample' for Keras 3",
      action: () => toKerasConfig(sample),
      received: '"sample"',
      expected: "varianceEstimator 'population', set explicitly",
    },
    {
      title: "'population' for a fused layer",
      action: () => toKerasConfig(resolveConfig(), undefined, { varianceEstimator: "sample" }),
      received: '"population"',
      expected: "varianceEstimator 'sample', set explicitly",
    },
    {
      title: "an outside with renorm",
      action: () => toKerasConfig(resolveConfig(), { config: { renorm: true }, axisAsList: false, wrapper: null }),
      received: "true",
      expected: "renorm false",
    },
  ])("refuses $title", (each) => expectRefusal("cannot-convert", each));

  test("refuses an outside with a key that Keras does not have", () =>
    expectRefusal("invalid-argument", {
      action: () => toKerasConfig(resolveConfig(), { config: { colour: "red" }, axisAsList: false, wrapper: null }),
      received: '"colour"',
      expected: "only the keys",
    }));
});

describe("Keras's weights", () => {
  const state = {
    parameters: { gamma: f32(1, 2), beta: f32(3, 4) },
    statistics: { movingMean: f32(5, 6), movingVariance: f32(7, 8) },
  };

  test.for<[boolean, boolean, number[][]]>([
    [
      true,
      true,
      [
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 8],
      ],
    ],
    [
      false,
      true,
      [
        [3, 4],
        [5, 6],
        [7, 8],
      ],
    ],
    [
      true,
      false,
      [
        [1, 2],
        [5, 6],
        [7, 8],
      ],
    ],
    [
      false,
      false,
      [
        [5, 6],
        [7, 8],
      ],
    ],
  ])("with scale %s and center %s", ([scale, center, weights]) => {
    const expected = {
      parameters: { gamma: scale ? state.parameters.gamma : null, beta: center ? state.parameters.beta : null },
      statistics: state.statistics,
    };
    const arrays = weights.map((each) => Float32Array.from(each));
    expect(fromKerasWeights({ scale, center }, arrays)).toEqual(expected);
    expect(toKerasWeights(expected)).toEqual(arrays);
  });

  test("are copies in both directions", () => {
    const weights = [f32(1), f32(0), f32(0), f32(1)];
    const read = fromKerasWeights({ axis: 1 }, weights);
    const written = toKerasWeights(read);
    for (const weight of weights) weight.fill(9);
    expect(read).toEqual(initialState({ scale: true, center: true }, 1));
    for (const weight of written) weight.fill(9);
    expect(read).toEqual(initialState({ scale: true, center: true }, 1));
  });

  test.for<Refusal>([
    {
      title: "too few",
      action: () => fromKerasWeights({ scale: true, center: true }, [f32(1), f32(0), f32(0)]),
      received: "3",
      expected: "4: gamma, beta, moving_mean, moving_variance",
    },
    {
      title: "too many",
      action: () => fromKerasWeights({ scale: false, center: false }, [f32(0), f32(0), f32(1)]),
      received: "3",
      expected: "2: moving_mean, moving_variance",
    },
    {
      title: "no list",
      action: () => fromKerasWeights({ scale: true, center: false }, { gamma: f32(1) } as never),
      received: "an object with gamma",
      expected: "3: gamma, moving_mean, moving_variance",
    },
  ])("are refused when there are $title", (each) => expectRefusal("invalid-state", each));
});
