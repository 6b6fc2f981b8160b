import { describe, expect, test } from "vitest";
import { fromJSON, fromKerasConfig, fromKerasWeights, fromOnnxAttributes, fromPyTorch, toJSON } from "../src/convert/index.ts";
import {
  BatchNormError,
  channelView,
  defineBackend,
  type ErrorCode,
  initialState,
  resolveAxis,
  resolveConfig,
  resolveState,
} from "../src/index.ts";
import { resolveStateUpdate } from "../src/state.ts";
import { expectRefusal, type Refusal, refusalOf } from "./expect-error.ts";
import { asyncLayer, mask, type SyncLayer, syncLayer, tensor } from "./fakes.ts";

const x = tensor([3, 2]);
const on = { scale: true, center: true };
const off = { scale: false, center: false };
const least = defineBackend({ name: "least", infer: ({ x }) => ({ y: x }) });
const ok = { parameters: { gamma: [1, 1], beta: [0, 0] }, statistics: { movingMean: [0, 0], movingVariance: [1, 1] } };
const bare = { parameters: {}, statistics: ok.statistics };
const json = (): Record<string, unknown> => ({ ...toJSON(resolveConfig(), initialState(on, 2)) });

function disposed(): SyncLayer {
  const layer = syncLayer();
  layer.dispose();
  return layer;
}

function trained(): SyncLayer {
  const layer = syncLayer();
  layer.call(x, { training: true });
  return layer;
}

/** Codes of files that this package does not read; the tests of the packages that do provoke them. */
type CodeOfFiles = "invalid-file" | "unsupported-format";

/** The type demands an entry for every other code of errors.ts. What the sentence must say stands beside what provokes it. */
const REFUSALS: Record<Exclude<ErrorCode, CodeOfFiles>, readonly [Refusal, ...Refusal[]]> = {
  "invalid-argument": [
    { title: "a switch that is no boolean", action: () => resolveConfig({ center: 1 as never }), received: "1", expected: "true or false" },
    {
      title: "a config by another name",
      action: () => resolveConfig({ eps: 1 } as never),
      received: '"eps"',
      expected: "axis, momentum, epsilon",
    },
    {
      title: "a config that is no object",
      action: () => resolveConfig(null as never),
      received: "null",
      expected: "an object with the keys axis",
    },
    {
      title: "an unknown estimator",
      action: () => resolveConfig({ varianceEstimator: "unbiased" as never }),
      received: '"unbiased"',
      expected: "'population' or 'sample'",
    },
    {
      title: "an unknown policy",
      action: () => resolveConfig({ nonFinite: "zero" as never }),
      received: '"zero"',
      expected: "'propagate' or 'reject'",
    },
    ...[Promise.resolve({}), new Map(), new Date(0), new (class Options {})()].map((value) => ({
      title: `a config of the class ${value.constructor.name}`,
      action: () => resolveConfig(value as never),
      received: `an object of the class ${value.constructor.name}`,
      expected: "an object with the keys axis",
    })),
    {
      title: "Keras's weights without a config",
      action: () => fromKerasWeights(undefined as never, [[1], [0]]),
      received: "undefined",
      expected: "scale and center",
    },
    { title: "training: 1", action: () => syncLayer().call(x, { training: 1 as never }), received: "1", expected: "true or false" },
    {
      title: "gradient: 'yes'",
      action: () => syncLayer().call(x, { gradient: "yes" as never }),
      received: '"yes"',
      expected: "true or false",
    },
    {
      title: "a misspelt option of call",
      action: () => syncLayer().call(x, { trainig: true } as never),
      received: '"trainig"',
      expected: "training, mask, out, gradient",
    },
    {
      title: "options of call that are null",
      action: () => syncLayer().call(x, null as never),
      received: "null",
      expected: "an object with",
    },
    {
      title: "a misspelt option of backward",
      action: () => trained().backward(x, { dx: x } as never),
      received: '"dx"',
      expected: "only the keys out",
    },
  ],
  "invalid-axis": [
    { title: "a fraction", action: () => resolveConfig({ axis: 0.5 }), received: "0.5", expected: "one integer" },
    { title: "a list", action: () => resolveConfig({ axis: [1] as never }), received: "[1]", expected: "one integer" },
    { title: "beyond the last axis", action: () => channelView([2, 3], 2), received: "2", expected: "an integer from -2 to 1" },
    { title: "before the first axis", action: () => resolveAxis(-5, 4), received: "-5", expected: "an integer from -4 to 3" },
  ],
  "invalid-epsilon": [
    {
      title: "zero",
      action: () => resolveConfig({ epsilon: 0 }),
      received: "0",
      expected: "a positive finite number that float32 can hold",
    },
    { title: "negative", action: () => resolveConfig({ epsilon: -1e-3 }), received: "-0.001", expected: "a positive finite number" },
    { title: "a subnormal float32", action: () => resolveConfig({ epsilon: 1e-40 }), received: "1e-40", expected: "float32 can hold" },
    { title: "beyond float32", action: () => resolveConfig({ epsilon: 1e39 }), received: "1e+39", expected: "float32 can hold" },
    { title: "NaN", action: () => resolveConfig({ epsilon: Number.NaN }), received: "NaN", expected: "a positive finite number" },
    {
      title: "text",
      action: () => resolveConfig({ epsilon: "0.001" as never }),
      received: '"0.001"',
      expected: "a positive finite number",
    },
  ],
  "invalid-momentum": [
    {
      title: "above one",
      action: () => resolveConfig({ momentum: 1.01 }),
      received: "1.01",
      expected: "a number in [0, 1], the weight of the old value",
    },
    { title: "negative", action: () => resolveConfig({ momentum: -0.1 }), received: "-0.1", expected: "a number in [0, 1]" },
    { title: "null", action: () => resolveConfig({ momentum: null as never }), received: "null", expected: "a number in [0, 1]" },
    {
      title: "PyTorch's, in PyTorch's words",
      action: () => fromPyTorch({ num_features: 1, momentum: 1.5, affine: false }, { running_mean: [0], running_var: [1] }),
      received: "1.5",
      expected: "the weight of the new value",
    },
  ],
  "invalid-shape": [
    { title: "a fraction", action: () => channelView([2.5, 2], -1), received: "[2.5, 2]", expected: "non-negative integer dimensions" },
    { title: "negative", action: () => channelView([-1, 2], -1), received: "[-1, 2]", expected: "non-negative integer dimensions" },
    {
      title: "not an array",
      action: () => channelView("2,2" as never, -1),
      received: '"2,2"',
      expected: "non-negative integer dimensions",
    },
    { title: "a number", action: () => channelView(4 as never, -1), received: "4", expected: "non-negative integer dimensions" },
  ],
  "invalid-rank": [
    { title: "rank 1", action: () => channelView([4], 0), received: "[4]", expected: "rank 2 or more" },
    { title: "rank 0", action: () => syncLayer().call(tensor([])), received: "[]", expected: "rank 2 or more" },
    {
      title: "above what the backend takes",
      action: () => syncLayer({ supports: { maxRank: 3 } }).call(tensor([1, 1, 1, 2])),
      received: "4",
      expected: "at most 3",
    },
  ],
  "invalid-state": [
    {
      title: "no object",
      action: () => resolveState(on, [] as never),
      received: "[]",
      expected: "an object with the keys parameters, statistics",
    },
    {
      title: "an unknown field",
      action: () => resolveState(on, { ...ok, count: 3 } as never),
      received: '"count"',
      expected: "only the keys parameters, statistics",
    },
    {
      title: "a statistic among the parameters",
      action: () => resolveState(on, { ...ok, parameters: { ...ok.parameters, movingMean: [0, 0] } } as never),
      received: '"movingMean"',
      expected: "it in the statistics",
    },
    {
      title: "no statistics",
      action: () => resolveState(on, { parameters: {} } as never),
      received: "undefined",
      expected: "movingMean, movingVariance",
    },
    {
      title: "text for numbers",
      action: () => resolveState(on, { ...ok, parameters: { gamma: ["1", "1"] as never } }),
      received: '["1", "1"]',
      expected: "a Float32Array or an array of numbers",
    },
    {
      title: "a hole in a list",
      // biome-ignore lint/suspicious/noSparseArray: the hole is the point
      action: () => resolveState(off, { ...bare, statistics: { movingMean: [0, , 0] as never, movingVariance: [1, 1, 1] } }),
      received: "[0, undefined, 0]",
      expected: "an array of numbers",
    },
    {
      title: "float64",
      action: () => resolveState(off, { ...bare, statistics: { movingMean: new Float64Array(2) as never, movingVariance: [1, 1] } }),
      received: "Float64Array of 2 elements",
      expected: "a Float32Array",
    },
    {
      title: "weights in a wrong number",
      action: () => fromKerasWeights({ scale: false, center: true }, [[1], [0], [0], [1]]),
      received: "4",
      expected: "3: beta, moving_mean, moving_variance",
    },
  ],
  "wrong-length": [
    { title: "no channels at create", action: () => least.create({}, 0), received: "0", expected: "a positive integer" },
    {
      title: "statistics of different lengths",
      action: () => resolveState(on, { ...ok, statistics: { movingMean: [0, 0], movingVariance: [1] } }),
      received: "1",
      expected: "2, one number per channel",
    },
    {
      title: "a parameter of another length",
      action: () => resolveState(on, { ...ok, parameters: { gamma: [1, 1], beta: [0, 0, 0] } }),
      received: "3",
      expected: "2, one number per channel",
    },
    {
      title: "an update of another length",
      action: () => resolveStateUpdate(on, 3, { statistics: { movingMean: [0, 0] } }),
      received: "2",
      expected: "3, one number per channel",
    },
    {
      title: "no channels",
      action: () => resolveState(off, { parameters: {}, statistics: { movingMean: [], movingVariance: [] } }),
      received: "Float32Array of 0 elements",
      expected: "at least one channel",
    },
    { title: "an initial state of no channels", action: () => initialState(on, 0), received: "0", expected: "a positive integer" },
    {
      title: "JSON whose channels disagree",
      action: () => fromJSON({ ...json(), channels: 5 }),
      received: "2",
      expected: "5, the number of channels",
    },
  ],
  "missing-parameter": [
    {
      title: "gamma",
      action: () => resolveState(on, { ...ok, parameters: { beta: [0, 0] } }),
      received: "null",
      expected: "since scale is on",
    },
    {
      title: "beta",
      action: () => resolveState(on, { ...ok, parameters: { gamma: [1, 1], beta: null } }),
      received: "null",
      expected: "since center is on",
    },
    {
      title: "taken away",
      action: () => syncLayer().setState({ parameters: { gamma: null } }),
      received: "null",
      expected: "since scale is on",
    },
  ],
  "unexpected-parameter": [
    {
      title: "gamma",
      action: () => resolveState({ scale: false, center: true }, ok),
      received: '"gamma"',
      expected: "no gamma, since scale is off",
    },
    {
      title: "beta",
      action: () => resolveState({ scale: true, center: false }, ok),
      received: '"beta"',
      expected: "no beta, since center is off",
    },
    {
      title: "in an update",
      action: () => syncLayer({ config: { center: false } }).setState({ parameters: { beta: [0, 0] } }),
      received: '"beta"',
      expected: "since center is off",
    },
  ],
  "negative-variance": [
    {
      title: "in a state",
      action: () => resolveState(off, { ...bare, statistics: { movingMean: [0, 0], movingVariance: [1, -0.5] } }),
      received: "-0.5",
      expected: "a variance, zero or more",
    },
    {
      title: "in an update",
      action: () => syncLayer().setState({ statistics: { movingVariance: [-1, 1] } }),
      received: "-1",
      expected: "a variance, zero or more",
    },
  ],
  "channel-mismatch": [
    { title: "on the last axis", action: () => syncLayer().call(tensor([2, 3])), received: "[2, 3]", expected: "2 there" },
    {
      title: "on axis 1",
      action: () => syncLayer({ config: { axis: 1 } }).call(tensor([2, 4, 2])),
      received: "[2, 4, 2]",
      expected: "2 there",
    },
  ],
  "data-length": [
    { title: "of x", action: () => syncLayer().call({ ...x, shape: [4, 2] }), received: "6", expected: "8 elements" },
    {
      title: "of the mask",
      action: () => syncLayer().call(x, { mask: { ...mask([4]), shape: [3] }, training: true }),
      received: "4",
      expected: "3 elements",
    },
    {
      title: "of out",
      action: () => syncLayer().call(x, { out: { ...tensor([1]), shape: [3, 2] } }),
      received: "1",
      expected: "6 elements",
    },
    { title: "of dy", action: () => trained().backward({ ...tensor([2]), shape: [3, 2] }), received: "2", expected: "6 elements" },
  ],
  "unknown-dtype": [
    {
      title: "of x",
      action: () => syncLayer().call({ data: new Float64Array(6) as never, shape: [3, 2] }),
      received: '"float64"',
      expected: "float32",
    },
    {
      title: "of dy",
      action: () => trained().backward({ data: new Uint8Array(6) as never, shape: [3, 2] }),
      received: '"bool"',
      expected: "float32",
    },
    {
      title: "of a Keras layer",
      action: () =>
        fromKerasConfig({ trainable: true, axis: -1, momentum: 0.9, epsilon: 0.1, center: true, scale: true, dtype: "float64" }),
      received: '"float64"',
      expected: "float32 or mixed_float16 or mixed_bfloat16",
    },
  ],
  "invalid-mask": [
    {
      title: "not bool",
      action: () => syncLayer().call(x, { mask: tensor([3]) as never, training: true }),
      received: '"float32"',
      expected: "bool",
    },
    {
      title: "the shape of x",
      action: () => syncLayer().call(x, { mask: mask([3, 2]), training: true }),
      received: "[3, 2]",
      expected: "[3], the axes of x but the channel axis",
    },
    {
      title: "without the batch axis",
      action: () => syncLayer({ config: { axis: 1 } }).call(tensor([4, 2, 5]), { mask: mask([5]) }),
      received: "[5]",
      expected: "[4, 5], the axes of x",
    },
  ],
  "invalid-out": [
    { title: "another shape", action: () => syncLayer().call(x, { out: tensor([2, 3]) }), received: "[2, 3]", expected: "[3, 2]" },
    { title: "another dtype", action: () => syncLayer().call(x, { out: mask([3, 2]) as never }), received: '"bool"', expected: "float32" },
    {
      title: "over x, in training",
      action: () => syncLayer().call(x, { out: x, training: true }),
      received: '"the memory of x"',
      expected: "other memory",
    },
    { title: "another shape, in backward", action: () => trained().backward(x, { out: tensor([6]) }), received: "[6]", expected: "[3, 2]" },
    {
      title: "over x, in backward",
      action: () => trained().backward(tensor([3, 2]), { out: x }),
      received: '"the memory of x"',
      expected: "other memory",
    },
  ],
  "invalid-gradient": [
    {
      title: "another shape",
      action: () => trained().backward(tensor([2, 3])),
      received: "[2, 3]",
      expected: "[3, 2], the shape of the last output",
    },
  ],
  "empty-batch": [
    {
      title: "no rows",
      action: () => syncLayer().call(tensor([0, 2]), { training: true }),
      received: "[0, 2]",
      expected: "at least one element per channel",
    },
    {
      title: "no columns",
      action: () => syncLayer({ config: { axis: 1 } }).call(tensor([3, 2, 0]), { training: true }),
      received: "[3, 2, 0]",
      expected: "at least one element per channel",
    },
  ],
  "non-finite": [
    {
      title: "a NaN in x",
      action: () =>
        syncLayer({ config: { nonFinite: "reject" } }).call({ data: Float32Array.of(0, 0, 0, Number.POSITIVE_INFINITY), shape: [2, 2] }),
      received: "Infinity",
      expected: "finite numbers, since nonFinite is 'reject'",
    },
  ],
  "not-built": [
    {
      title: "the state of a layer that was made without one",
      action: () => syncLayer({ state: "none" }).state(),
      received: '"no state"',
      expected: "a state or channels at create, or a call first",
    },
  ],
  "no-forward": [
    {
      title: "no call at all",
      action: () => syncLayer().backward(x),
      received: '"no kept pass"',
      expected: "a call with training or gradient set",
    },
    {
      title: "a call that kept nothing",
      action: () => {
        const layer = syncLayer();
        layer.call(x);
        return layer.backward(x);
      },
      received: '"no kept pass"',
      expected: "a call with training or gradient set before it",
    },
  ],
  disposed: [
    { title: "call", action: () => disposed().call(x), received: '"call"', expected: "a layer that is in use" },
    { title: "backward", action: () => disposed().backward(x), received: '"backward"', expected: "a layer that is in use" },
    { title: "freeze", action: () => disposed().freeze(), received: '"freeze"', expected: "a layer that is in use" },
    {
      title: "trainable",
      action: () => {
        disposed().trainable = false;
      },
      received: '"trainable"',
      expected: "a layer that is in use",
    },
    { title: "unfreeze", action: () => disposed().unfreeze(), received: '"unfreeze"', expected: "a layer that is in use" },
    { title: "state", action: () => disposed().state(), received: '"state"', expected: "a layer that is in use" },
    { title: "setState", action: () => disposed().setState({}), received: '"setState"', expected: "a layer that is in use" },
  ],
  unsupported: [
    {
      title: "training",
      action: () => syncLayer({ without: ["train"] }).call(x, { training: true }),
      received: '"training: true"',
      expected: "inference",
    },
    {
      title: "a gradient, asked for by name",
      action: () => syncLayer({ without: ["backward"] }).call(x, { gradient: true }),
      received: '"gradient: true"',
      expected: "gradient: false",
    },
    {
      title: "backward",
      action: () => syncLayer({ without: ["backward"] }).backward(x),
      received: '"backward"',
      expected: "call alone",
    },
    {
      title: "a mask",
      action: () => syncLayer({ supports: { masks: false } }).call(x, { mask: mask([3]), training: true }),
      received: '"a mask"',
      expected: "no mask",
    },
    {
      title: "out",
      action: () => syncLayer({ supports: { out: false } }).call(x, { out: tensor([3, 2]) }),
      received: '"out"',
      expected: "no out",
    },
    {
      title: "an estimator",
      action: () => least.create({ varianceEstimator: "sample" }, ok),
      received: '"sample"',
      expected: "population",
    },
    {
      title: "a policy",
      action: () => syncLayer({ config: { nonFinite: "reject" }, without: ["findNonFinite"] }),
      received: '"reject"',
      expected: "propagate",
    },
  ],
  "invalid-json": [
    { title: "text", action: () => fromJSON("{}"), received: '"{}"', expected: "what JSON.parse made of the written text" },
    { title: "another format", action: () => fromJSON({ ...json(), format: "onnx" }), received: '"onnx"', expected: '"batchnorm"' },
  ],
  "wrong-version": [
    { title: "a later one", action: () => fromJSON({ ...json(), specVersion: 2, more: true }), received: "2", expected: "specVersion 1" },
    { title: "none", action: () => fromJSON({ format: "batchnorm" }), received: "undefined", expected: "specVersion 1" },
  ],
  "cannot-convert": [
    {
      title: "an old ONNX node",
      action: () => fromOnnxAttributes({ spatial: 0 } as never, { scale: [1], B: [0], input_mean: [0], input_var: [1] }),
      received: '"spatial"',
      expected: "a model converted to opset 9 or later",
    },
  ],
  "runtime-failure": [
    {
      title: "wrapped by a backend, handed through unchanged by a rejection",
      action: () => {
        const layer = asyncLayer();
        layer.fake.failure = new BatchNormError(
          "runtime-failure",
          "The runtime failed",
          "device lost",
          "a result",
          new Error("device lost"),
        );
        return layer.call(x, { training: true });
      },
      received: '"device lost"',
      expected: "a result",
    },
  ],
};

describe.for(Object.entries(REFUSALS) as unknown as [ErrorCode, Refusal[]][])("%s", ([code, refusals]) => {
  test.for(refusals)("$title", (refusal) => expectRefusal(code, refusal));
});

test("the error that a runtime gave is the cause", async () => {
  const error = await refusalOf(REFUSALS["runtime-failure"][0].action);
  expect(error.cause).toEqual(new Error("device lost"));
});

test("a synchronous layer throws, it does not reject", () => {
  expect(() => syncLayer().backward(x)).toThrow(BatchNormError);
});
