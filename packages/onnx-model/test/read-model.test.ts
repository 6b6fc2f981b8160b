import { runInNewContext } from "node:vm";
import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { readModel, writeModel } from "../src/index.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeType,
  ElementType,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from "../src/proto/index.ts";
import { expectCode } from "./expect-code.ts";
import { attribute, Models, valueInfo } from "./model-builder.ts";

/** x -> BatchNormalization -> Relu -> y, with three channels. */
function small(): Models {
  const graph = new Models();
  graph.input("x", ["n", 3, 4, 4]);
  const inputs = ["x", graph.float([1, 2, 3], [3], "bn.weight"), graph.float([0, 0, 0], [3], "bn.bias")];
  inputs.push(graph.float([0, 1, 2], [3], "bn.mean"), graph.float([1, 4, 9], [3], "bn.var"));
  graph.op("BatchNormalization", inputs, { epsilon: { float: 1e-3 } }, "normal");
  graph.op("Relu", ["normal"], {}, "y");
  graph.output("y", ["n", 3, 4, 4]);
  return graph;
}

const bytes = small().bytes();

function edited(change: (model: ModelProto) => void): Uint8Array {
  const model = small().proto();
  change(model);
  return toBinary(ModelProtoSchema, model);
}

const tensor = (changes: Partial<TensorProto>): Uint8Array => edited(({ graph }) => Object.assign(graph!.initializer[0], changes));
const opset = (version: bigint): Uint8Array => edited((model) => Object.assign(model.opsetImport[0], { version }));
const withGraph = (graph: GraphProto): Uint8Array => edited((model) => Object.assign(model, { graph }));

describe("readModel and writeModel", () => {
  test("give back every byte", () => {
    expect(writeModel(readModel(bytes))).toEqual(bytes);
  });

  test("give back fields that nobody knows, at every level", () => {
    const unknown = (no: number): { no: number; wireType: number; data: Uint8Array }[] => [
      { no, wireType: 2, data: Uint8Array.of(3, 0, 255, 128) },
      { no: no + 1, wireType: 0, data: Uint8Array.of(0xff, 0x01) },
      { no: no + 2, wireType: 5, data: Uint8Array.of(1, 2, 3, 4) },
    ];
    const changed = edited((model) => {
      const { graph } = model;
      const parts = [model, graph!, graph!.node[0], graph!.node[0].attribute[0], graph!.initializer[0], graph!.input[0]];
      for (const [k, part] of parts.entries()) part.$unknown = unknown(900 + 3 * k);
      graph!.node[0].docString = Uint8Array.of(0xc0, 0xff);
    });
    expect(writeModel(readModel(changed))).toEqual(changed);
  });

  test("take a Buffer in the pool, at odd offsets, an ArrayBuffer, and memory that is shared", () => {
    const wide = Buffer.concat([Buffer.of(7), Buffer.from(bytes), Buffer.of(9, 9)]);
    expect(writeModel(readModel(wide.subarray(1, 1 + bytes.length)))).toEqual(bytes);
    expect(writeModel(readModel(Buffer.from(bytes)))).toEqual(bytes);
    expect(writeModel(readModel(bytes.slice().buffer))).toEqual(bytes);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    expect(writeModel(readModel(shared))).toEqual(bytes);
    // As an iframe's, or those of Jest's jsdom.
    const elsewhere = runInNewContext("Uint8Array.from(bytes)", { bytes }) as Uint8Array;
    expect(writeModel(readModel(elsewhere))).toEqual(bytes);
    expect(writeModel(readModel({ bytes: elsewhere, external: {} }))).toEqual(bytes);
  });

  test("do not copy the data of tensors", () => {
    const { graph } = readModel(bytes).proto;
    expect(graph!.initializer[0].rawData.buffer).toBe(bytes.buffer);
  });

  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["text", "model.onnx"],
    ["numbers", [8, 8]],
    ["floats", new Float32Array(4)],
    ["a promise", Promise.resolve(bytes)],
    ["an object without bytes", {}],
    ["a reader that is text", { bytes, external: "folder" }],
  ])("refuse %s", async (_, source) => {
    await expectCode("invalid-argument", () => readModel(source as never));
  });
});

describe("a file that is no model", () => {
  test("every truncation is refused, or is a model that ended earlier", async () => {
    let refused = 0;
    for (let length = 0; length < bytes.length; length++) {
      try {
        readModel(bytes.subarray(0, length));
      } catch (error) {
        refused += 1;
        expect(error).toMatchObject({ code: "invalid-file" });
      }
    }
    // What is left before the last field of the file, the opset, is a model of no opset; nothing is whole.
    expect(refused).toBe(bytes.length);
  });

  test.each<[string, Uint8Array, string]>([
    ["no bytes", new Uint8Array(), "IR version"],
    ["text", new TextEncoder().encode("<!DOCTYPE html><html>"), ""],
    ["a zip", Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0), ""],
    ["a length beyond the file", Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f), "longer than what is left"],
    ["a length beyond the message around it", Uint8Array.of(8, 8, 0x3a, 4, 0x0a, 5, 1, 2, 3, 8, 8, 8), "longer than what is left"],
    ["a varint that does not end", Uint8Array.of(8, ...Array(12).fill(0x80)), "more than ten bytes"],
    ["text where a number is meant", Uint8Array.of(0x0a, 3, 49, 48, 48), "another wire type"],
    ["a number where text is meant", Uint8Array.of(0x10, 5), "another wire type"],
    ["a field number of 0", Uint8Array.of(0, 1), "impossible number"],
    ["a group", Uint8Array.of(0x0b, 0x0c), "another wire type"],
    ["an unknown group", Uint8Array.of(0xa3, 0x06, 0xa4, 0x06), "unknown wire type"],
    ["a name that is not UTF-8", Uint8Array.of(8, 8, 0x12, 2, 0xc3, 0x28), "UTF-8"],
    ["no graph", edited((model) => delete (model as Partial<ModelProto>).graph), "no graph"],
    ["no IR version", edited((model) => delete (model as Partial<ModelProto>).irVersion), "IR version"],
    ["no opset", edited((model) => model.opsetImport.splice(0)), "opset"],
    ["opset 999", opset(999n), "absurd"],
    ["opset -1", opset(-1n), "absurd"],
    ["two opsets", edited((model) => model.opsetImport.push({ ...model.opsetImport[0], domain: "ai.onnx", version: 9n })), "two opsets"],
  ])("%s", async (_, source, sentence) => {
    await expectCode("invalid-file", () => readModel(source), sentence);
  });

  test("messages nested without end", async () => {
    // An attribute with a graph with a node with an attribute, and so on: each level is three messages around the last
    // one.
    let nested = create(GraphProtoSchema, { name: "innermost" });
    for (let depth = 0; depth < 50; depth++) {
      nested = create(GraphProtoSchema, {
        node: [create(NodeProtoSchema, { opType: "If", attribute: [attribute("then_branch", nested)] })],
      });
    }
    await expectCode("invalid-file", () => readModel(withGraph(nested)), "nested too deeply");
  });

  test("25 branches in each other are a model like any other", () => {
    let nested = create(GraphProtoSchema, { name: "innermost" });
    for (let depth = 0; depth < 25; depth++) {
      nested = create(GraphProtoSchema, {
        node: [create(NodeProtoSchema, { opType: "If", attribute: [attribute("then_branch", nested)] })],
      });
    }
    expect(() => readModel(withGraph(nested))).not.toThrow();
  });
});

describe("tensors that do not hold what they say", () => {
  test.each<[string, Uint8Array, string]>([
    ["raw data of 15 bytes", tensor({ rawData: new Uint8Array(15) }), "15 bytes"],
    ["more dimensions than data", tensor({ dims: [51n] }), "12 bytes"],
    ["fewer", tensor({ dims: [1n] }), "12 bytes"],
    ["a negative dimension", tensor({ dims: [-3n] }), "impossible dimensions"],
    ["dimensions whose product overflows", tensor({ dims: [2n ** 40n, 2n ** 40n] }), "impossible dimensions"],
    ["a hundred dimensions", tensor({ dims: Array(100).fill(1n) }), "too many dimensions"],
    ["another element type", tensor({ dataType: ElementType.float64 }), "12 bytes"],
    ["no element type", tensor({ dataType: 0 }), "no element type"],
    ["text as raw data", tensor({ dataType: ElementType.string }), "text as raw data"],
    ["the data twice", tensor({ floatData: [1, 2, 3] }), "twice"],
    ["integers for floats", tensor({ rawData: new Uint8Array(), int32Data: [1, 2, 3] }), "another type"],
    ["two floats for three", tensor({ rawData: new Uint8Array(), floatData: [1, 2] }), "2 numbers"],
    ["no data at all", tensor({ rawData: new Uint8Array() }), "0 numbers"],
    ["an unknown place", tensor({ dataLocation: 7 }), "unknown place"],
  ])("%s", async (_, source, sentence) => {
    await expectCode("invalid-file", () => readModel(source), sentence);
  });

  test("in the attribute of a node, and in a branch", async () => {
    const broken = create(TensorProtoSchema, { name: "t", dims: [2n], dataType: ElementType.float32, rawData: new Uint8Array(4) });
    const inNode = edited(({ graph }) => graph!.node[1].attribute.push(attribute("value", broken)));
    const branch = create(GraphProtoSchema, { initializer: [broken] });
    const inBranch = edited(({ graph }) => graph!.node[1].attribute.push(attribute("then_branch", branch)));
    await expectCode("invalid-file", () => readModel(inNode), "does not fill");
    await expectCode("invalid-file", () => readModel(inBranch), "does not fill");
  });

  test("a type that is newer than this package is left alone", () => {
    expect(() => readModel(tensor({ dataType: 77 }))).not.toThrow();
  });
});

describe("graphs that contradict themselves", () => {
  const node = (change: Parameters<typeof create<typeof NodeProtoSchema>>[1]): Uint8Array =>
    edited(({ graph }) => graph!.node.push(create(NodeProtoSchema, change)));
  const epsilon = attribute("epsilon", { float: 1 });

  test.each<[string, Uint8Array, string]>([
    ["an input that nobody gives", node({ opType: "Relu", input: ["nowhere"], output: ["z"] }), "nobody gives"],
    ["an output that nobody computes", edited(({ graph }) => graph!.output.push(valueInfo("z", [1]))), "not computed"],
    ["a value that is computed twice", node({ opType: "Relu", input: ["x"], output: ["y"] }), "defined twice"],
    ["a value that is an input, too", node({ opType: "Relu", input: ["y"], output: ["x"] }), "defined twice"],
    ["two inputs of one name", edited(({ graph }) => graph!.input.push(valueInfo("x", [1]))), "one name"],
    ["a circle", edited(({ graph }) => graph!.node.push(...circle())), "circle"],
    ["an attribute twice", edited(({ graph }) => graph!.node[0].attribute.push(epsilon)), "twice"],
    [
      "a FLOAT that holds an int",
      edited(({ graph }) => graph!.node[0].attribute.push(typed(AttributeType.float, { i: 1n }))),
      "another type",
    ],
    ["two values in one attribute", edited(({ graph }) => graph!.node[0].attribute.push(typed(0, { i: 1n, f: 1 }))), "another type"],
    ["a function that calls itself", edited((model) => recursive(model)), "nested too deeply"],
    ["functions that double 40 times", edited((model) => doubling(model)), "too many nodes"],
  ])("%s", async (_, source, sentence) => {
    await expectCode("invalid-file", () => readModel(source), sentence);
  });

  test("nodes in another order than they run are taken, as onnxruntime takes them", () => {
    expect(() => readModel(edited(({ graph }) => graph!.node.reverse()))).not.toThrow();
  });

  test("a branch sees the names around it, and a circle through it is found", async () => {
    const branch = create(GraphProtoSchema, {
      node: [create(NodeProtoSchema, { opType: "Relu", input: ["y"], output: ["inner"] })],
      output: [valueInfo("inner", [1])],
    });
    const isIf = (input: string, output: string) =>
      create(NodeProtoSchema, { opType: "If", input: [input], output: [output], attribute: [attribute("then_branch", branch)] });
    expect(() => readModel(edited(({ graph }) => graph!.node.push(isIf("x", "z"))))).not.toThrow();
    const circular = edited(({ graph }) => {
      graph!.node[1].input = ["z"];
      graph!.node.push(isIf("x", "z"));
    });
    await expectCode("invalid-file", () => readModel(circular), "circle");
  });

  test("the main graph does not see the names of a branch", async () => {
    const branch = create(GraphProtoSchema, {
      node: [create(NodeProtoSchema, { opType: "Relu", input: ["x"], output: ["inner"] })],
      output: [valueInfo("inner", [1])],
    });
    const leaking = edited(({ graph }) => {
      graph!.node.push(
        create(NodeProtoSchema, { opType: "If", input: ["x"], output: ["z"], attribute: [attribute("then_branch", branch)] }),
      );
      graph!.node.push(create(NodeProtoSchema, { opType: "Relu", input: ["inner"], output: ["leaked"] }));
    });
    await expectCode("invalid-file", () => readModel(leaking), "nobody gives");
  });
});

function typed(type: number, value: { i?: bigint; f?: number }): AttributeProto {
  return create(AttributeProtoSchema, { name: "more", type, ...value });
}

function circle() {
  return [
    create(NodeProtoSchema, { opType: "Add", input: ["x", "b"], output: ["a"] }),
    create(NodeProtoSchema, { opType: "Relu", input: ["a"], output: ["b"] }),
  ];
}

function recursive(model: ModelProto): void {
  model.functions.push({
    ...functionOf("again", [create(NodeProtoSchema, { domain: "local", opType: "again", input: ["a"], output: ["b"] })]),
  });
  model.graph!.node.push(create(NodeProtoSchema, { domain: "local", opType: "again", input: ["x"], output: ["z"] }));
}

/** Each function calls the next one twice: 40 lines of file, 2^40 calls. */
function doubling(model: ModelProto): void {
  for (let k = 0; k < 40; k++) {
    const call = (input: string, output: string) =>
      create(NodeProtoSchema, { domain: "local", opType: `f${k + 1}`, input: [input], output: [output] });
    model.functions.push(functionOf(`f${k}`, [call("a", "half"), call("half", "b")]));
  }
  model.graph!.node.push(create(NodeProtoSchema, { domain: "local", opType: "f0", input: ["x"], output: ["z"] }));
}

function functionOf(name: string, node: ReturnType<typeof create<typeof NodeProtoSchema>>[]): ModelProto["functions"][number] {
  return create(ModelProtoSchema, { functions: [{ name, domain: "local", input: ["a"], output: ["b"], node }] }).functions[0];
}
