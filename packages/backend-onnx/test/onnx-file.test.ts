import {
  AttributeProtoSchema,
  AttributeType,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from "@batchnorm/onnx-model/proto";
import { type BatchNormState, DEFAULT_CONFIG } from "@batchnorm/spec";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { createBackend, fromOnnx, toOnnx } from "../src/index.ts";
import { ort } from "./ort-web.ts";

const CONFIG = { ...DEFAULT_CONFIG, epsilon: 2 ** -10, momentum: 0.875 };

function bits(array: Float32Array | null): number[] | null {
  return array && [...new Uint32Array(array.slice().buffer)];
}

/** Three channels of numbers that a careless writer loses: a NaN with a payload, -0, subnormals, the largest. */
function awkward(): BatchNormState {
  const from = (...patterns: number[]): Float32Array => new Float32Array(Uint32Array.from(patterns).buffer);
  return {
    parameters: { gamma: from(0x7fc12345, 0x80000000, 0x00000001), beta: from(0xffc00001, 0x7f7fffff, 0x3dcccccd) },
    statistics: { movingMean: from(0x7f800000, 0xff800000, 0x80000001), movingVariance: from(0x00000000, 0x7f800000, 0x3f800001) },
  };
}

const STATE: BatchNormState = {
  parameters: { gamma: Float32Array.of(1.5, -0.5, 2), beta: Float32Array.of(0.25, 2, -1) },
  statistics: { movingMean: Float32Array.of(0.75, -1.25, 3), movingVariance: Float32Array.of(4, 0.5, 1) },
};

const parse = (bytes: Uint8Array): ModelProto => fromBinary(ModelProtoSchema, bytes);
const edit = (change: (model: ModelProto) => void, bytes: Uint8Array = toOnnx(STATE, { ...CONFIG, axis: 1 })): Uint8Array => {
  const model = parse(bytes);
  change(model);
  return toBinary(ModelProtoSchema, model);
};

test.each([1, -1, 0, 2, -3])("a layer of axis %i comes back bit for bit", (axis) => {
  const config = { ...CONFIG, axis };
  const { state, ...rest } = fromOnnx(toOnnx(awkward(), config));
  expect(rest).toEqual({ config, training: false });
  const { parameters, statistics } = awkward();
  expect(bits(state.parameters.gamma)).toEqual(bits(parameters.gamma));
  expect(bits(state.parameters.beta)).toEqual(bits(parameters.beta));
  expect(bits(state.statistics.movingMean)).toEqual(bits(statistics.movingMean));
  expect(bits(state.statistics.movingVariance)).toEqual(bits(statistics.movingVariance));
});

test("epsilon and momentum come back as the float32 numbers that a file can hold", () => {
  const { config } = fromOnnx(toOnnx(STATE, { ...DEFAULT_CONFIG, axis: 1 }));
  expect(config).toEqual({ ...DEFAULT_CONFIG, axis: 1, epsilon: Math.fround(0.001), momentum: Math.fround(0.99) });
});

test("what is off comes back as ones and zeros", () => {
  const off = { parameters: { gamma: null, beta: null }, statistics: STATE.statistics };
  const { config, state } = fromOnnx(toOnnx(off, { ...CONFIG, scale: false, center: false }));
  expect(config).toEqual(CONFIG);
  expect(state.parameters).toEqual({ gamma: Float32Array.of(1, 1, 1), beta: Float32Array.of(0, 0, 0) });
});

describe("a model runs as the layer does", () => {
  const cases = [
    { axis: 1, shape: [2, 3, 4, 5] },
    { axis: 1, shape: [4, 3] },
    { axis: -1, shape: [2, 4, 5, 3] },
    { axis: -1, shape: [5, 3] },
    { axis: 0, shape: [3, 4] },
    { axis: 2, shape: [2, 4, 3, 5, 2] },
    { axis: -2, shape: [2, 1, 3, 2] },
  ];
  test.each(cases)("axis $axis of $shape", async ({ axis, shape }) => {
    const backend = await createBackend({ ort });
    const config = { ...CONFIG, axis };
    const size = shape.reduce((product, dimension) => product * dimension, 1);
    const x = backend.upload({ data: Float32Array.from({ length: size }, (_, k) => Math.sin(k)), shape });
    for (const opset of [15, 20]) {
      const session = await ort.InferenceSession.create(toOnnx(STATE, config, { rank: shape.length, opset }));
      const { y } = await session.run({ x });
      const expected = await backend.create(config, STATE).call(x);
      expect(y.dims).toEqual(shape);
      expect(distance(y.data as Float32Array, expected.data as Float32Array)).toBeLessThan(1e-6);
      await session.release();
    }
  });

  test("in training", async () => {
    const backend = await createBackend({ ort });
    const config = { ...CONFIG, axis: 1 };
    const bytes = toOnnx(STATE, config, { rank: 3, training: true });
    expect(fromOnnx(bytes).training).toBe(true);
    const session = await ort.InferenceSession.create(bytes);
    const x = backend.upload({ data: Float32Array.from({ length: 24 }, (_, k) => Math.sin(k)), shape: [2, 3, 4] });
    const { y, running_mean: mean, running_var: variance } = await session.run({ x });
    const layer = backend.create(config, STATE);
    const expected = await layer.call(x, { training: true });
    const { statistics } = await layer.state();
    expect(distance(y.data as Float32Array, expected.data as Float32Array)).toBeLessThan(1e-6);
    expect(distance(mean.data as Float32Array, statistics.movingMean)).toBeLessThan(1e-6);
    expect(distance(variance.data as Float32Array, statistics.movingVariance)).toBeLessThan(1e-6);
  });

  test("frozen, in training too", () => {
    expect(fromOnnx(toOnnx(STATE, { ...CONFIG, trainable: false }, { training: true })).training).toBe(false);
  });
});

function distance(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, k) => Math.max(most, Math.abs(value - b[k])), 0);
}

test("the input says its rank and channels", () => {
  const shapeOf = (bytes: Uint8Array) => {
    const type = parse(bytes).graph?.input[0].type?.value;
    return type?.case === "tensorType" ? type.value.shape?.dim.map(({ value }) => value.value) : undefined;
  };
  expect(shapeOf(toOnnx(STATE, { ...CONFIG, axis: 1 }))).toEqual(["dimension_0", 3n, "dimension_2", "dimension_3"]);
  expect(shapeOf(toOnnx(STATE, CONFIG, { rank: 2 }))).toEqual(["dimension_0", 3n]);
  expect(shapeOf(toOnnx(STATE, { ...CONFIG, axis: 4 }))).toHaveLength(5);
  expect(shapeOf(toOnnx(STATE, { ...CONFIG, axis: -6 }))).toHaveLength(6);
});

test("what this package does not know of a model survives it", () => {
  // Field 999 of ModelProto, a string.
  const unknown = Uint8Array.of(0xba, 0x3e, 0x02, 0x68, 0x69);
  const bytes = Uint8Array.of(...toOnnx(STATE, CONFIG), ...unknown);
  expect(edit(() => {}, bytes)).toEqual(bytes);
});

test("a model whose constants are lists of floats is read, too", () => {
  const bytes = edit(({ graph }) => {
    for (const [k, { name, dims, dataType }] of graph!.initializer.entries()) {
      graph!.initializer[k] = create(TensorProtoSchema, { name, dims, dataType, floatData: [k + 1, k + 2, k + 3] });
    }
  });
  expect(fromOnnx(bytes).state.statistics.movingVariance).toEqual(Float32Array.of(4, 5, 6));
});

test("a node without attributes has ONNX's defaults, which are float32 to every runtime", () => {
  const bytes = edit(({ graph }) => {
    graph!.node[0].attribute = [];
  });
  expect(fromOnnx(bytes).config).toMatchObject({ epsilon: Math.fround(1e-5), momentum: Math.fround(0.9), axis: 1 });
});

test("a file as Node reads it, whose bytes lie in a pool at any offset", () => {
  const bytes = toOnnx(STATE, { ...CONFIG, axis: 1 });
  for (const shift of [0, 1, 2, 3]) {
    const pool = Buffer.alloc(bytes.length + 8);
    pool.set(bytes, shift);
    expect(fromOnnx(pool.subarray(shift, shift + bytes.length)).state).toEqual(STATE);
  }
});

test("an opset before 9, a Constant node and an Identity are read", () => {
  const old = edit((model) => {
    model.opsetImport[0].version = 8n;
    model.graph!.node[0].attribute = model.graph!.node[0].attribute.filter(({ name }) => name !== "training_mode");
  });
  expect(fromOnnx(old).state).toEqual(STATE);
  const indirect = edit(({ graph }) => {
    const [scale] = graph!.initializer.splice(0, 1);
    const value = create(AttributeProtoSchema, { name: "value", type: AttributeType.tensor, t: scale });
    graph!.node.push(create(NodeProtoSchema, { opType: "Constant", output: ["stored"], attribute: [value] }));
    graph!.node.push(create(NodeProtoSchema, { opType: "Identity", input: ["stored"], output: [scale.name] }));
  });
  expect(fromOnnx(indirect).state).toEqual(STATE);
});

test("of two initializers with one name the last one counts, as in the runtime", () => {
  const bytes = edit(({ graph }) => {
    const again = create(TensorProtoSchema, { name: graph!.initializer[0].name, dims: [3n], dataType: 1, floatData: [7, 8, 9] });
    graph!.initializer.push(again);
  });
  expect(fromOnnx(bytes).state.parameters.gamma).toEqual(Float32Array.of(7, 8, 9));
});

test("a Flatten and a Reshape of other purpose are not taken for an axis", () => {
  const bytes = edit(({ graph }) => {
    const node = (opType: string, input: string[], output: string) => create(NodeProtoSchema, { opType, input, output: [output] });
    graph!.initializer.push(create(TensorProtoSchema, { name: "shape", dims: [3n], dataType: 7, int64Data: [-1n, 3n, 16n] }));
    graph!.node.unshift(node("Flatten", ["x"], "flat"), node("Reshape", ["flat", "shape"], "rows"));
    graph!.node[2].input[0] = "rows";
  });
  expect(fromOnnx(bytes).config.axis).toBe(1);
});

const tensor = (changes: object): Uint8Array => edit(({ graph }) => Object.assign(graph!.initializer[0], changes));

test.each<[string, string, Uint8Array]>([
  ["invalid-file", "bytes that are no model", Uint8Array.of(1, 2, 3)],
  ["invalid-file", "no bytes", new Uint8Array()],
  ["invalid-file", "another element type than the data's", tensor({ dataType: 10 })],
  ["invalid-file", "15 bytes of raw data", tensor({ rawData: new Uint8Array(15) })],
  ["invalid-file", "dimensions that do not fit", tensor({ dims: [51n] })],
  ["invalid-file", "a parameter that nobody gives", edit(({ graph }) => graph!.initializer.splice(0, 1))],
  ["invalid-file", "opset 999", edit(({ opsetImport }) => Object.assign(opsetImport[0], { version: 999n }))],
  ["invalid-file", "an attribute twice", edit(({ graph }) => graph!.node[0].attribute.push(graph!.node[0].attribute[0]))],
  ["invalid-file", "an attribute of another type", edit(({ graph }) => Object.assign(graph!.node[0].attribute[0], { type: 2 }))],
  ["invalid-file", "data in another file, without saying in which", tensor({ dataLocation: 1, rawData: new Uint8Array() })],
  [
    "cannot-convert",
    "data in another file",
    tensor({
      dataLocation: 1,
      rawData: new Uint8Array(),
      externalData: [create(StringStringEntryProtoSchema, { key: "location", value: "weights" })],
    }),
  ],
  ["cannot-convert", "no such node", edit(({ graph }) => [graph!.node.splice(0), graph!.output.splice(0)])],
  [
    "cannot-convert",
    "two such nodes",
    edit(({ graph }) => graph!.node.push(create(NodeProtoSchema, { ...graph!.node[0], output: ["z"] }))),
  ],
  [
    "cannot-convert",
    "a parameter that is an input",
    edit(({ graph }) => {
      const [{ name }] = graph!.initializer.splice(0, 1);
      graph!.input.push(create(ValueInfoProtoSchema, { name }));
    }),
  ],
  [
    "negative-variance",
    "a negative variance",
    edit(({ graph }) => Object.assign(graph!.initializer[3], { rawData: new Uint8Array(Float32Array.of(1, -1, 1).buffer) })),
  ],
])("%s: %s", (code, _, bytes) => {
  expect(() => fromOnnx(bytes)).toThrow(expect.objectContaining({ code }));
});

test("what ONNX has no equal for is refused", () => {
  const refused = (code: string, write: () => unknown): void => expect(write).toThrow(expect.objectContaining({ code }));
  refused("cannot-convert", () => toOnnx(STATE, { ...CONFIG, varianceEstimator: "sample" }));
  refused("invalid-argument", () => toOnnx(STATE, CONFIG, { opset: 14 }));
  refused("invalid-argument", () => toOnnx(STATE, CONFIG, { opset: 15.5 }));
  refused("invalid-rank", () => toOnnx(STATE, CONFIG, { rank: 1 }));
  refused("invalid-rank", () => toOnnx(STATE, CONFIG, { rank: 2.5 }));
  refused("invalid-rank", () => toOnnx(STATE, { ...CONFIG, axis: 5e8 }));
  refused("invalid-axis", () => toOnnx(STATE, { ...CONFIG, axis: 2 }, { rank: 2 }));
  refused("invalid-rank", () => toOnnx(STATE, { ...CONFIG, axis: 5e8 }));
  refused("invalid-rank", () => toOnnx(STATE, CONFIG, { rank: 5e8 }));
  refused("invalid-argument", () => toOnnx(STATE, CONFIG, { opSet: 15 } as never));
  refused("invalid-argument", () => toOnnx(STATE, CONFIG, null as never));
  refused("invalid-argument", () => toOnnx(STATE, null as never));
  refused("invalid-axis", () => toOnnx(STATE, { ...CONFIG, axis: 0.5 }));
  refused("missing-parameter", () => toOnnx({ ...STATE, parameters: { gamma: null, beta: null } }, CONFIG));
});
