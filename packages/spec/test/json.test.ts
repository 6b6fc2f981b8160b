import { describe, expect, test } from "vitest";
import { fromJSON, toJSON } from "../src/convert/index.ts";
import { type BatchNormConfig, initialState, resolveConfig } from "../src/index.ts";
import { expectRefusal, type Refusal } from "./expect-error.ts";

const on = { scale: true, center: true };
const config = resolveConfig({ axis: 1, momentum: 0.9, epsilon: 1e-5, nonFinite: "reject" });

/** Float32 numbers from their bits, and back: a NaN's payload is in the bits alone. */
const fromBits = (...bits: number[]): Float32Array => new Float32Array(Uint32Array.from(bits).buffer);
const toBits = (values: Float32Array | null): number[] => Array.from(new Uint32Array(values!.slice().buffer));

const throughText = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const withMean = (movingMean: readonly number[] | Float32Array) => ({
  parameters: {},
  statistics: { movingMean, movingVariance: new Float32Array(movingMean.length) },
});
const OFF = resolveConfig({ scale: false, center: false });

describe("toJSON", () => {
  test("writes every field, explicitly", () => {
    const state = { parameters: { gamma: [1, 2], beta: [0.5, 0] }, statistics: { movingMean: [-1, 3], movingVariance: [4, 0.25] } };
    expect(toJSON(config, state as never)).toEqual({
      format: "batchnorm",
      specVersion: 1,
      config: {
        axis: 1,
        momentum: 0.9,
        epsilon: 1e-5,
        center: true,
        scale: true,
        trainable: true,
        varianceEstimator: "population",
        nonFinite: "reject",
      },
      channels: 2,
      parameters: { gamma: [1, 2], beta: [0.5, 0] },
      statistics: { movingMean: [-1, 3], movingVariance: [4, 0.25] },
    });
  });

  test("writes null for a parameter that the layer does not have", () => {
    expect(toJSON(OFF, initialState(OFF, 1)).parameters).toEqual({ gamma: null, beta: null });
  });

  test.for<[string, number, number | string]>([
    ["0.1, as the double that equals the float32", 0x3dcccccd, 0.10000000149011612],
    ["0", 0x00000000, 0],
    ["-0", 0x80000000, "0x80000000"],
    ["the smallest subnormal", 0x00000001, 1.401298464324817e-45],
    ["the largest", 0x7f7fffff, 3.4028234663852886e38],
    ["infinity", 0x7f800000, "0x7f800000"],
    ["-infinity", 0xff800000, "0xff800000"],
    ["the usual NaN", 0x7fc00000, "0x7fc00000"],
    ["a NaN with a sign and a payload", 0xffc01234, "0xffc01234"],
    ["a signalling NaN", 0x7f800001, "0x7f800001"],
  ])("writes %s", ([, bits, written]) => {
    const [value] = toJSON(OFF, withMean(fromBits(bits))).statistics.movingMean;
    expect(Object.is(value, written), `${value}`).toBe(true);
  });

  test("reads an array that is a window on a larger buffer", () => {
    const window = fromBits(1, 0x80000000, 0x40400000, 2).subarray(1, 3);
    expect(toJSON(OFF, withMean(window)).statistics.movingMean).toEqual(["0x80000000", 3]);
  });

  test("refuses a state that is not the config's", () => {
    expect(() => toJSON(OFF, initialState(on, 1))).toThrow("gamma is present");
    expect(() => toJSON({ ...config, epsilon: 0 }, initialState(on, 1))).toThrow("epsilon is out of range");
  });
});

describe("fromJSON after JSON.parse of JSON.stringify", () => {
  test("gives back the config, trainable and all", () => {
    const other: BatchNormConfig = { ...config, trainable: false, varianceEstimator: "sample", center: false, epsilon: 0.1 + 0.2 };
    expect(fromJSON(throughText(toJSON(other, initialState(other, 3)))).config).toEqual(other);
  });

  test("gives back 100 000 float32 of any bits, bit for bit", () => {
    // A linear congruential generator (Numerical Recipes, 2nd edition, section 7.1): every 32-bit pattern is as good as another.
    const bits = new Uint32Array(100_000);
    for (let index = 1; index < bits.length; index++) bits[index] = Math.imul(bits[index - 1], 1664525) + 1013904223;
    const values = new Float32Array(bits.buffer);
    const { state } = fromJSON(throughText(toJSON(OFF, withMean(values))));
    expect(Buffer.from(state.statistics.movingMean.buffer).equals(Buffer.from(bits.buffer))).toBe(true);
  });

  test("gives back a layer of one channel", () => {
    const state = initialState(on, 1);
    expect(fromJSON(throughText(toJSON(config, state)))).toEqual({ config, state });
  });

  test("gives back all four arrays, each its own", () => {
    const state = {
      parameters: { gamma: fromBits(0x80000000, 0x7fc00001), beta: fromBits(0xff800000, 0x3dcccccd) },
      statistics: { movingMean: fromBits(0x00000001, 0xffffffff), movingVariance: fromBits(0x7f800000, 0x80000000) },
    };
    const read = fromJSON(throughText(toJSON(config, state))).state;
    expect(toBits(read.parameters.gamma)).toEqual([0x80000000, 0x7fc00001]);
    expect(toBits(read.parameters.beta)).toEqual([0xff800000, 0x3dcccccd]);
    expect(toBits(read.statistics.movingMean)).toEqual([0x00000001, 0xffffffff]);
    expect(toBits(read.statistics.movingVariance)).toEqual([0x7f800000, 0x80000000]);
  });
});

describe("fromJSON refuses", () => {
  // biome-ignore lint/suspicious/noExplicitAny: the edits below make what no type allows
  type Json = Record<string, any>;
  type Edit = (json: Json) => void;
  const edited = (edit: Edit) => (): unknown => {
    const json = throughText(toJSON(config, initialState(on, 2))) as Record<string, unknown>;
    edit(json);
    return fromJSON(json);
  };
  const element =
    (value: unknown): Edit =>
    (json) => {
      json.statistics.movingMean[1] = value;
    };
  const refusal = (title: string, edit: Edit, received: string, expected: string): Refusal => ({
    title,
    action: edited(edit),
    received,
    expected,
  });

  test.for([null, undefined, 3, [], new Float32Array(2)])("%s", (value) => {
    expect(() => fromJSON(value)).toThrow("The serialized layer is not an object");
  });

  test.for([
    refusal("an unknown field", (json) => (json.name = "bn1"), '"name"', "only the keys format, specVersion, config"),
    refusal("an unknown field of config", (json) => (json.config.renorm = false), '"renorm"', "only the keys axis, momentum"),
    refusal("an unknown field of parameters", (json) => (json.parameters.movingMean = [0, 0]), '"movingMean"', "only the keys gamma, beta"),
    refusal("an unknown field of statistics", (json) => (json.statistics.count = 1), '"count"', "only the keys movingMean, movingVariance"),
    refusal("config that is a list", (json) => (json.config = []), "[]", "an object with the keys axis"),
    refusal("parameters that are null", (json) => (json.parameters = null), "null", "an object with the keys gamma, beta"),
    refusal("statistics that are text", (json) => (json.statistics = "none"), '"none"', "an object with the keys movingMean"),
    refusal("an epsilon that is text", (json) => (json.config.epsilon = "0.001"), '"0.001"', "a number"),
    refusal("a momentum that is null", (json) => (json.config.momentum = null), "null", "a number"),
    refusal("an axis that is a list", (json) => (json.config.axis = [1]), "[1]", "a number"),
    refusal("a trainable that is a number", (json) => (json.config.trainable = 1), "1", "a boolean"),
    refusal("an estimator that is a boolean", (json) => (json.config.varianceEstimator = true), "true", "a string"),
    refusal("channels that are text", (json) => (json.channels = "2"), '"2"', "a positive integer"),
    refusal("no channels", (json) => (json.channels = 0), "0", "a positive integer"),
    refusal("half a channel", (json) => (json.channels = 2.5), "2.5", "a positive integer"),
    refusal(
      "a list that is a typed array",
      (json) => (json.parameters.gamma = new Float32Array(2)),
      "Float32Array of 2 elements",
      "a list with one entry",
    ),
    refusal("a statistic that is null", (json) => (json.statistics.movingMean = null), "null", "a list with one entry per channel"),
    refusal("a double between two float32", element(0.1), "0.1", "a float32, such as 0.10000000149011612"),
    refusal("a number beyond float32", element(1e39), "1e+39", "a float32, such as Infinity"),
    refusal("a number below float32", element(1e-50), "1e-50", "a float32, such as 0"),
    refusal("-0 as a number", element(-0), "-0", '"0x80000000" for -0'),
    refusal("NaN as a number", element(Number.NaN), "NaN", "its float32 bits"),
    refusal("null for a number", element(null), "null", 'a number, or "0x" and eight lower-case hexadecimal digits'),
    refusal("a number as text", element("1.5"), '"1.5"', "eight lower-case hexadecimal digits"),
    refusal("seven digits", element("0x8000000"), '"0x8000000"', "eight lower-case hexadecimal digits"),
    refusal("nine digits", element("0x800000000"), '"0x800000000"', "eight lower-case hexadecimal digits"),
    refusal("upper case", element("0x7FC00000"), '"0x7FC00000"', "eight lower-case hexadecimal digits"),
    refusal("no digits at all", element("0x7fc0000g"), '"0x7fc0000g"', "eight lower-case hexadecimal digits"),
    refusal("a line after the digits", element("0x7fc00000\n"), '"0x7fc00000\\n"', "eight lower-case hexadecimal digits"),
    refusal("a finite number as bits", element("0x3f800000"), '"0x3f800000"', "the number 1"),
    refusal("zero as bits", element("0x00000000"), '"0x00000000"', "the number 0"),
  ])("$title", (each) => expectRefusal("invalid-json", each));

  test("names the element", () => {
    expect(edited(element("?"))).toThrow("movingMean[1] is not a float32");
    expect(edited((json) => (json.parameters.beta[0] = 0.1))).toThrow("beta[0] would be rounded");
  });

  describe.for([
    ["", ["config", "channels", "parameters", "statistics"]],
    ["config", Object.keys(config)],
    ["parameters", ["gamma", "beta"]],
    ["statistics", ["movingMean", "movingVariance"]],
  ] as const)("a missing field of '%s'", ([where, keys]) => {
    test.for(keys)("%s", (key) => {
      const parent = (json: Json): Json => (where === "" ? json : json[where]);
      const error = expect.objectContaining({
        code: "invalid-json",
        message: expect.stringContaining(` has no ${key}: received an object with `),
      });
      expect(edited((json) => delete parent(json)[key])).toThrow(error);
      // An absent epsilon must not become the default by way of an undefined one.
      expect(edited((json) => (parent(json)[key] = undefined))).toThrow(error);
    });
  });

  test.for<[string, Edit, string]>([
    ["wrong-length", (json) => json.parameters.gamma.push(1), "gamma has the wrong length: received 3, expected 2"],
    ["wrong-length", (json) => json.statistics.movingVariance.pop(), "movingVariance has the wrong length: received 1, expected 2"],
    ["wrong-version", (json) => (json.specVersion = "1"), 'received "1", expected specVersion 1'],
    ["invalid-epsilon", (json) => (json.config.epsilon = 0), "epsilon is out of range: received 0"],
    ["invalid-momentum", (json) => (json.config.momentum = 2), "momentum is out of range: received 2"],
    ["invalid-axis", (json) => (json.config.axis = 0.5), "axis is not an integer: received 0.5"],
    ["invalid-argument", (json) => (json.config.nonFinite = "zero"), 'nonFinite has an unknown value: received "zero"'],
    ["missing-parameter", (json) => (json.parameters.gamma = null), "gamma is missing"],
    ["unexpected-parameter", (json) => (json.config.center = false), "beta is present"],
    ["negative-variance", (json) => (json.statistics.movingVariance = [1, -1]), "negative in channel 1"],
    ["negative-variance", (json) => (json.statistics.movingVariance = ["0xff800000", 1]), "negative in channel 0: received -Infinity"],
  ])("with the code %s", ([code, edit, sentence]) => {
    expect(edited(edit)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(sentence) }));
  });
});
