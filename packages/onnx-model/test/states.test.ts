import { DEFAULT_CONFIG } from "@batchnorm/spec";
import { type BatchNormJSON, fromJSON, toJSON } from "@batchnorm/spec/convert";
import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { find, type OnnxModel, readModel, readStates, writeModel, writeStates } from "../src/index.ts";
import { ElementType, EXTERNAL, type TensorProto, TensorProtoSchema } from "../src/proto/index.ts";
import { floatTensor } from "../src/tensor/write-tensor.ts";
import { expectCode } from "./expect-code.ts";
import { bytesOf, MODELS, modelOf, tensorsOf } from "./fixtures.ts";
import { Models } from "./model-builder.ts";
import { differences, runModel } from "./run-model.ts";

/** A state whose numbers are of no other. */
function stateOf(channels: number, seed: number, config: Partial<typeof DEFAULT_CONFIG> = {}): BatchNormJSON {
  const of = (k: number) => Float32Array.from({ length: channels }, (_, c) => Math.sin(seed + 3 * k + c) + (k === 3 ? 2 : 0));
  const full = { ...DEFAULT_CONFIG, axis: 1, epsilon: 2 ** -9, momentum: 0.75, ...config };
  const parameters = { gamma: full.scale ? of(0) : null, beta: full.center ? of(1) : null };
  return toJSON(full, { parameters, statistics: { movingMean: of(2), movingVariance: of(3) } });
}

describe("readStates of every model", () => {
  test.each(MODELS.map((known) => [known.id, known] as const))("%s", async (_, known) => {
    const model = modelOf(known);
    const { states, unreadable, momentumAssumed } = await readStates(model);
    const { layers } = await find(model);
    expect([...Object.keys(states), ...unreadable.map(({ layer }) => layer)].sort()).toEqual(layers.map(({ name }) => name).sort());
    const tensors = tensorsOf(known.states ?? known.tensors);
    for (const [name, json] of Object.entries(states)) {
      const layer = layers.find((each) => each.name === name)!;
      const expected = known.layers.find((each) => each.graph === layer.scope && each.node === layer.nodes[0])!;
      const { config, state } = fromJSON(JSON.parse(JSON.stringify(json)));
      expect(config.epsilon).toBe(Math.fround(expected.epsilon!));
      const hasMomentum = layer.form === "BatchNormalization";
      expect(config.momentum).toBe(hasMomentum ? Math.fround(expected.momentum!) : 0.99);
      expect(momentumAssumed.includes(name)).toBe(!hasMomentum);
      const moved = known.id.startsWith("torch/") && layer.mode === "training";
      for (const [array, values] of Object.entries({ ...state.parameters, ...(moved ? {} : state.statistics) })) {
        const truth = tensors.get(`layer/${expected.name}/${array}`)?.data ?? null;
        expect(values && [...values], array).toEqual(truth && [...truth]);
      }
    }
    for (const { layer, code } of unreadable) {
      const { parameters, statistics, perPosition } = layers.find((each) => each.name === layer)!;
      const all = Object.values({ ...parameters, ...statistics }).every((values) => values !== null);
      expect(code).toBe(perPosition ? "not-spatial" : all ? "not-a-state" : "missing-arrays");
    }
  });
});

/** Every tensor of the main graph by its name. */
function tensors(model: OnnxModel): Map<string, TensorProto> {
  return new Map(model.proto.graph!.initializer.map((tensor) => [tensor.name, tensor]));
}

/** The states by node: what a layer is called depends on what its arrays are called, and on who shares them. */
async function byNode(model: OnnxModel): Promise<Map<string, BatchNormJSON>> {
  const [{ states }, { layers }] = [await readStates(model), await find(model)];
  return new Map(layers.flatMap(({ name, scope, nodes: [node] }) => (name in states ? [[`${scope} ${node}`, states[name]]] : [])));
}

describe("writeStates of every model", () => {
  const writable = MODELS.filter(({ id }) => !/external/.test(id));
  test.each(writable.map((known) => [known.id, known] as const))("%s: what was read changes nothing", async (_, known) => {
    const model = modelOf(known);
    const { states, momentumAssumed } = await readStates(model);
    const { model: same, written } = await writeStates(model, states);
    expect(written.flatMap(({ changed }) => changed)).toEqual([]);
    expect(momentumAssumed.length).toBeLessThanOrEqual(written.length);
    expect(Buffer.compare(writeModel(same), bytesOf(known))).toBe(0);
  });

  test.each(writable.map((known) => [known.id, known] as const))("%s: each layer alone, and no other", async (_, known) => {
    const model = modelOf(known);
    const before = await readStates(model);
    const nodes = new Map(
      (await find(model)).layers.flatMap(({ name, scope, nodes: [node] }) => (name in before.states ? [[`${scope} ${node}`, name]] : [])),
    );
    for (const [k, name] of Object.keys(before.states).slice(0, 6).entries()) {
      const old = before.states[name];
      // The epsilon of a function's node may be an attribute of the call.
      const inFunction = known.id === "handmade/local-function";
      const state = stateOf(old.channels, k, { ...old.config, epsilon: inFunction ? old.config.epsilon : 2 ** -9 });
      if (known.id === "handmade/function-constants") {
        // Both calls read the same nodes.
        await expectCode("cannot-convert", () => writeStates(model, { [name]: state }), "called more than once");
        continue;
      }
      const { model: written, written: report } = await writeStates(model, { [name]: state });
      const after = await byNode(readModel(writeModel(written)));
      const isHalf = /float16|cast/.test(known.id);
      const node = [...nodes].find(([, layer]) => layer === name)![0];
      const wanted = new Map([...nodes].map(([each, layer]) => [each, before.states[layer]]));
      wanted.set(node, { ...state, config: { ...state.config, momentum: after.get(node)!.config.momentum } });
      if (isHalf) after.set(node, wanted.get(node)!);
      expect(after).toEqual(wanted);
      // Tensors that nobody had to touch are the very same objects.
      const now = tensors(written);
      const touched = [...tensors(model)].filter(([tensor, value]) => now.has(tensor) && now.get(tensor) !== value);
      expect(touched.length).toBeLessThanOrEqual(report[0].changed.length);
    }
  });
});

/** Two layers that share their gamma, and a third reader of it. */
function sharing(): Models {
  const graph = new Models();
  const ones = graph.float([1, 1, 1], [3], "ones");
  const zeros = graph.float([0, 0, 0], [3], "zeros");
  const x = graph.op("BatchNormalization", [graph.input("x", ["n", 3]), ones, zeros, zeros, ones]);
  graph.op("BatchNormalization", [x, ones, zeros, graph.float([1, 2, 3], [3], "own"), ones], {}, "y");
  graph.op("Mul", [graph.op("Relu", ["y"]), ones], {}, "z");
  return graph.output("y", ["n", 3]).output("z", ["n", 3]);
}

test("several layers at once, which share all that they have", async () => {
  const known = MODELS.find(({ id }) => id === "torch/untrained-dynamo")!;
  const model = modelOf(known);
  const names = Object.keys((await readStates(model)).states);
  const states = Object.fromEntries(
    names.map((name, k) => [name, stateOf(3, k, { epsilon: Math.fround(1e-5), momentum: Math.fround(0.9) })]),
  );
  const { model: written } = await writeStates(model, states);
  expect([...(await byNode(written)).values()]).toEqual(Object.values(states));
});

describe("sharing", () => {
  test("a tensor of two layers and of two arrays is copied for the one that changes", async () => {
    const model = sharing().model();
    const names = Object.keys((await readStates(model)).states);
    const state = stateOf(3, 1, { epsilon: 1e-5, momentum: 0.9 });
    const { model: written, written: report } = await writeStates(model, { [names[0]]: state });
    expect(report[0]).toMatchObject({ layer: names[0], changed: ["gamma", "beta", "movingMean", "movingVariance"] });
    expect([...report[0].unshared].sort()).toEqual(["ones", "ones", "zeros", "zeros"]);
    const after = (await readStates(written)).states;
    expect(after[names[0]].statistics).toEqual(state.statistics);
    expect(after[names[1]]).toEqual((await readStates(model)).states[names[1]]);
    expect(tensors(written).get("ones")).toBe(tensors(model).get("ones"));
  });

  test("a tensor of one layer alone keeps its name and its place", async () => {
    const model = sharing().model();
    const [, name] = Object.keys((await readStates(model)).states);
    const old = (await readStates(model)).states[name];
    const { model: written, written: report } = await writeStates(model, {
      [name]: { ...old, statistics: { ...old.statistics, movingMean: [7, 8, 9] } },
    });
    expect(report[0]).toEqual({ layer: name, changed: ["movingMean"], unshared: [] });
    expect([...tensors(written).keys()]).toEqual([...tensors(model).keys()]);
  });

  test("arithmetic that two layers share is copied with its ends", async () => {
    const graph = new Models();
    const x = graph.input("x", ["n", 2, 2, 3]);
    const shape = graph.int64([1, 1, 1, 3]);
    const reshaped = (values: readonly number[], name: string): string => graph.op("Reshape", [graph.float(values, [3], name), shape]);
    const [variance, mean, beta] = [reshaped([1, 2, 3], "variance"), reshaped([0, 1, 2], "mean"), reshaped([0, 0, 0], "zeros")];
    const root = graph.op("Sqrt", [graph.op("Add", [variance, graph.float([1e-3], [], "epsilon")])]);
    const layer = (from: string, output?: string): string => {
      const k = graph.op("Div", [reshaped([1, 2, 3], `gamma_${from}`), root]);
      const l = graph.op("Add", [graph.op("Mul", [graph.op("Neg", [mean]), k]), beta]);
      return graph.op("Add", [graph.op("Mul", [from, k]), l], {}, output);
    };
    layer(graph.op("Relu", [layer(x)]), "y");
    const model = graph.output("y", ["n", 2, 2, 3]).model(21);
    const { states } = await readStates(model);
    const [first, second] = Object.keys(states);
    expect(states[first].config.epsilon).toBe(Math.fround(1e-3));
    const state = stateOf(3, 5, { axis: 3, momentum: 0.99 });
    const { model: written, written: report } = await writeStates(model, { [second]: state });
    expect([...report[0].unshared].sort()).toEqual(["c_0", "epsilon", "mean", "variance", "zeros"]);
    const after = (await readStates(readModel(writeModel(written)))).states;
    expect(after).toEqual({ [first]: states[first], [second]: state });
    expect((await find(written)).layers.map(({ form }) => form)).toEqual(["unfolded", "unfolded"]);
  });
});

describe("decomposed layers", () => {
  const x = { type: "float32", shape: [2, 3], data: Float32Array.of(1, -2, 3, 4, 5, -6) };

  test.each([[["Mul", "Add"]], [["Div", "Sub"]], [["Sub", "Mul", "Add"]], [["Sub", "Div", "Mul", "Sub"]]])(
    "%j gets the constants that the state means",
    async (operations) => {
      const graph = new Models();
      let at = graph.input("x", [2, 3]);
      for (const [k, operation] of operations.entries()) at = graph.op(operation, [at, graph.float([1, 2, 4], [3], `batchnorm/c${k}`)]);
      const model = graph.output(at, [2, 3]).model();
      const { layers } = await find(model);
      const state = stateOf(3, 2);
      const { model: written } = await writeStates(model, { [layers[0].name]: state });
      const { parameters, statistics } = fromJSON(state).state;
      const result = await runModel(readModel(writeModel(written)), { x }, [at]);
      const truth = Float64Array.from(x.data, (value, k) => {
        const c = k % 3;
        return (
          (parameters.gamma![c] * (value - statistics.movingMean[c])) / Math.sqrt(statistics.movingVariance[c] + 2 ** -9) +
          parameters.beta![c]
        );
      });
      expect(Math.max(...differences(result[at], { ...result[at], data: truth }, 0))).toBeLessThan(2 ** -20);
    },
  );

  test("without an Add there is no place for beta", async () => {
    const graph = new Models();
    const centred = graph.op("Sub", [graph.input("x", [2, 3]), graph.float([1, 2, 4], [3], "batchnorm/mean")]);
    const model = graph.output(graph.op("Mul", [centred, graph.float([1, 2, 4], [3], "batchnorm/k")]), [2, 3]).model();
    const [{ name }] = (await find(model)).layers;
    await expectCode("cannot-convert", () => writeStates(model, { [name]: stateOf(3, 2) }), "no beta");
    const { model: written } = await writeStates(model, { [name]: stateOf(3, 2, { center: false }) });
    expect((await find(written)).layers[0].statistics.movingMean).not.toBeNull();
  });
});

test("gamma and beta that a state does not have become ones and zeros", async () => {
  const model = sharing().model();
  const [, name] = Object.keys((await readStates(model)).states);
  const { model: written } = await writeStates(model, { [name]: stateOf(3, 4, { scale: false, center: false }) });
  expect((await readStates(written)).states[name].parameters).toEqual({ gamma: [1, 1, 1], beta: [0, 0, 0] });
});

test("a Constant node is changed in place", async () => {
  const known = MODELS.find(({ id }) => id === "handmade/constant-nodes-paddle")!;
  const model = modelOf(known);
  const [name] = Object.keys((await readStates(model)).states);
  const { model: written, written: report } = await writeStates(model, { [name]: stateOf(4, 4) });
  expect(report[0].changed).toEqual(["gamma", "beta", "movingMean", "movingVariance", "epsilon", "momentum"]);
  const shape = ({ proto: { graph } }: OnnxModel): unknown => [
    graph!.initializer.length,
    graph!.node.map(({ opType, output }) => [opType, ...output]),
  ];
  expect(shape(written)).toEqual(shape(model));
});

test("data outside stays outside unless it changes", async () => {
  const known = MODELS.find(({ id }) => id === "handmade/external-data")!;
  const model = modelOf(known);
  const [name] = Object.keys((await readStates(model)).states);
  const old = (await readStates(model)).states[name];
  const { model: written } = await writeStates(model, { [name]: { ...old, statistics: { ...old.statistics, movingMean: [7, 8, 9, 10] } } });
  const moved = written.proto.graph!.initializer.filter(({ dataLocation }) => dataLocation !== EXTERNAL).map(({ name: tensor }) => tensor);
  expect(moved).toEqual(["bn.mean"]);
  expect((await readStates(written)).states[name].statistics.movingMean).toEqual([7, 8, 9, 10]);
});

describe("types", () => {
  function typed(type: "float16" | "float64", values: readonly number[]): OnnxModel {
    const graph = new Models();
    const vector = (name: string): string => graph.initializer(floatTensor(name, type, [1], Float64Array.from(values)));
    const x = graph.input("x", ["n", 1], type);
    graph.op("BatchNormalization", [x, ...["bn.weight", "bn.bias", "bn.mean", "bn.var"].map(vector)], {}, "y");
    return graph.output("y", ["n", 1], type).model();
  }
  const json = (value: number): BatchNormJSON => {
    const values = Float32Array.of(value);
    return toJSON(
      { ...DEFAULT_CONFIG, axis: 1 },
      { parameters: { gamma: values, beta: values }, statistics: { movingMean: values, movingVariance: values } },
    );
  };

  test("float64 that float32 does not hold is rounded, and the result says so", async () => {
    const { states, rounded } = await readStates(typed("float64", [0.1]));
    expect(states.bn.parameters.gamma).toEqual([Math.fround(0.1)]);
    expect(rounded).toEqual(["bn"]);
    expect((await readStates(typed("float64", [0.5]))).rounded).toEqual([]);
  });

  test("a number that float16 does not hold is refused, others are rounded once", async () => {
    await expectCode("cannot-convert", () => writeStates(typed("float16", [1]), { bn: json(70000) }), "does not fit its type");
    const { model } = await writeStates(typed("float16", [1]), { bn: json(Math.fround(0.1)) });
    expect((await find(model)).layers[0].parameters.gamma).toEqual(Float32Array.of(0.0999755859375));
    expect(model.proto.graph!.initializer.every(({ dataType }) => dataType === ElementType.float16)).toBe(true);
  });
});

describe("what is refused", () => {
  const model = sharing().model();
  const good = stateOf(3, 1);
  const name = "BatchNormalization_0";
  test.each<[string, string, unknown]>([
    ["invalid-argument", "no object", null],
    ["invalid-argument", "a list", [good]],
    ["invalid-argument", "a layer that is not there", { other: good }],
    ["invalid-json", "a state that is none", { [name]: { gamma: [1] } }],
    ["channel-mismatch", "another number of channels", { [name]: stateOf(4, 1) }],
  ])("%s: %s", async (code, _, states) => {
    await expectCode(code, () => writeStates(model, states as never));
  });

  test("momentum out of range, and an unknown option", async () => {
    await expectCode("invalid-momentum", () => readStates(model, { momentum: 2 }));
    await expectCode("invalid-argument", () => readStates(model, { epsilon: 1 } as never));
  });

  test.each([
    ["handmade/opset-8-not-spatial", 3],
    ["handmade/conv-moments", 4],
    ["handmade/runtime-parameters", 3],
    ["torch/batch-statistics-dynamo", 4],
  ])("cannot-convert: %s", async (id, channels) => {
    const other = modelOf(MODELS.find((known) => known.id === id)!);
    const { layers } = await find(other);
    await expectCode("cannot-convert", () => writeStates(other, { [layers[0].name]: stateOf(channels, 1) }));
  });

  test("an external tensor without a way to it", async () => {
    const graph = new Models();
    const externalData = [{ key: "location", value: "w" }];
    const outside = create(TensorProtoSchema, {
      name: "bn.mean",
      dims: [3n],
      dataType: ElementType.float32,
      dataLocation: EXTERNAL,
      externalData,
    });
    const arrays = [graph.float([1, 1, 1]), graph.float([1, 1, 1]), graph.initializer(outside), graph.float([1, 1, 1])];
    graph.op("BatchNormalization", [graph.input("x", ["n", 3]), ...arrays], {}, "y");
    await expectCode("invalid-file", () => readStates(graph.output("y", ["n", 3]).model()));
  });
});
