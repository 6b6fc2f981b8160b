import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromFloat16, toFloat16 } from "@batchnorm/spec/half";
import { create } from "@bufbuild/protobuf";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { compareLayer } from "../src/execute/compare-layer.ts";
import { analysed } from "../src/execute/execution.ts";
import { randomInputs, verify } from "../src/execute/index.ts";
import { readModel, writeModel } from "../src/index.ts";
import { ElementType, type TensorProto, TensorProtoSchema } from "../src/proto/index.ts";
import { expectCode } from "./expect-code.ts";
import { MODELS, modelOf } from "./fixtures.ts";
import { Models } from "./model-builder.ts";

/** An untrained layer in training mode, whose running statistics nobody reads: a tensor for each array, or two that are equal. */
function untrained(equal: boolean) {
  const models = new Models();
  const x = models.input("x", ["N", 3, 4, 4]);
  const arrays = equal
    ? [
        [1, 1, 1],
        [0, 0, 0],
        [0, 0, 0],
        [1, 1, 1],
      ]
    : [
        [1, 1, 2],
        [0, 0, 3],
        [0, 1, 0],
        [1, 2, 1],
      ];
  const inputs = [x, ...arrays.map((values) => models.float(values))];
  models.ops("BatchNormalization", inputs, { training_mode: 1 }, ["y", "running_mean", "running_var"], { name: "bn" });
  return models.output("y", ["N", 3, 4, 4]).model();
}

/** Data whose mean and variance are not those of an untrained layer. */
function shifted(): Record<string, ort.Tensor> {
  const data = Float32Array.from({ length: 2 * 3 * 16 }, (_, k) => 5 + 3 * Math.sin(k));
  return { x: new ort.Tensor("float32", data, [2, 3, 4, 4]) };
}

/** onnxruntime with a fault of its own: constants of layers are a little larger than the file says. */
function withOtherConstants(factor: number): typeof ort {
  return {
    Tensor: ort.Tensor,
    InferenceSession: {
      create: async (bytes: Uint8Array, options: ort.InferenceSession.SessionOptions) => {
        const model = readModel(bytes);
        for (const initializer of model.proto.graph!.initializer) enlarge(initializer, factor);
        for (const { attribute } of model.proto.graph!.node) for (const { t } of attribute) if (t !== undefined) enlarge(t, factor);
        return ort.InferenceSession.create(writeModel(model), options);
      },
    },
  } as unknown as typeof ort;
}

/** Vectors of floats: those of layers, and biases. */
function enlarge(tensor: TensorProto, factor: number): void {
  const isVector = tensor.dims.length > 0 && tensor.dims.filter((size) => size > 1n).length <= 1;
  if (!isVector || tensor.rawData.length === 0) return;
  const bytes = Uint8Array.from(tensor.rawData);
  if (tensor.dataType === ElementType.float32) {
    const values = new Float32Array(bytes.buffer);
    for (const [k, value] of values.entries()) values[k] = value * factor;
  } else if (tensor.dataType === ElementType.float16) {
    const bits = new Uint16Array(bytes.buffer);
    for (const [k, value] of bits.entries()) bits[k] = toFloat16(fromFloat16(value) * factor);
  } else return;
  tensor.rawData = bytes;
}

/** x in float16, times a number, through a layer that divides by 100 in its first channel. */
function scaledHalves(factor: number) {
  const models = new Models();
  const half = (name: string, values: readonly number[]): string => {
    const rawData = new Uint8Array(Uint16Array.from(values, toFloat16).buffer);
    return models.initializer(create(TensorProtoSchema, { name, dims: [BigInt(values.length)], dataType: ElementType.float16, rawData }));
  };
  const x = models.op("Cast", [models.input("x", ["N", 2])], { to: ElementType.float16 });
  const scaled = models.op("Mul", [x, half("factor", [factor])]);
  const arrays = [half("gamma", [1, 2]), half("beta", [0, 1]), half("mean", [0, 10]), half("variance", [10000, 4])];
  models.op("BatchNormalization", [scaled, ...arrays], {}, "y");
  return models.output("y", ["N", 2], "float16").model();
}

describe("verify", () => {
  it("finds the training mode that onnxruntime computes wrongly after sharing equal constants", async () => {
    // microsoft/onnxruntime#29790: the unused running outputs overwrite the buffer that scale and variance share.
    const { passed, layers } = await verify(untrained(true), { ort, inputs: shifted() });
    expect(passed).toBe(false);
    const [{ layer, mode, wrong, wrongChannels, worst }] = layers;
    expect([layer, mode, wrongChannels]).toEqual(["bn", "training", [0, 1, 2]]);
    expect(wrong).toBeGreaterThan(0);
    expect(worst!.error).toBeGreaterThan(0.1);
    expect(Math.abs(worst!.received - worst!.expected)).toBe(worst!.error);
  });

  it("passes the same model without the fault: not optimized, or with distinct tensors", async () => {
    const sessionOptions = { graphOptimizationLevel: "disabled" } as const;
    expect((await verify(untrained(true), { ort, inputs: shifted(), sessionOptions })).passed).toBe(true);
    expect((await verify(untrained(false), { ort, inputs: shifted() })).passed).toBe(true);
  });

  it.each([
    "recalibration/digits",
    "torch/resnet18-torchscript-preserve-mixed",
    "torch/mobilenetv2-torchscript-training",
    "tf-keras/digits",
    "keras/digits-onnx",
    "keras-jax/digits-strided",
    "keras-torch/digits-dynamic",
    "keras-torch/digits-static",
  ])("passes every layer of %s", async (id) => {
    const known = MODELS.find((each) => each.id === id)!;
    const model = modelOf(known);
    const shapes = Object.fromEntries(Object.entries(known.inputs).map(([name, { shape }]) => [name, shape]));
    const { passed, layers, skipped } = await verify(model, { ort, inputs: randomInputs(model, ort, { seed: 1, shapes }) });
    expect(layers.filter(({ wrong }) => wrong > 0)).toEqual([]);
    expect(passed).toBe(true);
    expect(layers.length).toBeGreaterThan(0);
    expect(skipped.length + layers.length).toBe(known.layers.filter(({ form }) => form !== "folded").length);
  });

  it("blames the layer that is wrong, and not those after it", async () => {
    // A runtime with a fault of its own: one element of [4, 6, 4, 4] is off by 1e-4.
    const model = modelOf({ file: "recalibration/digits.onnx" });
    const faulty = {
      Tensor: ort.Tensor,
      InferenceSession: {
        create: async (bytes: Uint8Array, options: ort.InferenceSession.SessionOptions) => {
          const session = await ort.InferenceSession.create(bytes, options);
          const run: typeof session.run = async (...given: unknown[]) => {
            const results = await (session.run as (...all: unknown[]) => Promise<Record<string, ort.Tensor>>).apply(session, given);
            const name = Object.keys(results).find((each) => each.includes("depth_norm"))!;
            (results[name].data as Float32Array)[70] += 1e-4;
            return results;
          };
          return { inputNames: session.inputNames, outputNames: session.outputNames, run, release: () => session.release() };
        },
      },
    } as unknown as typeof ort;
    const { passed, layers } = await verify(model, { ort: faulty, inputs: randomInputs(model, ort) });
    expect(passed).toBe(false);
    const wrong = layers.filter((each) => each.wrong > 0);
    expect(wrong.map(({ layer, wrong: count, wrongChannels }) => [layer, count, wrongChannels])).toEqual([["depth_norm", 1, [4]]]);
    expect(wrong[0].worst).toMatchObject({ channel: 4, index: 70 });
  });

  it("checks the branch that is taken, and says so of the other one", async () => {
    const model = modelOf({ file: "handmade/if-branches.onnx" });
    const { x } = randomInputs(model, ort);
    for (const [taken, left, condition] of [["bn_then", "bn_else", 1] as const, ["bn_else", "bn_then", 0] as const]) {
      const inputs = { x, condition: new ort.Tensor("bool", Uint8Array.of(condition), []) };
      const { passed, layers, skipped } = await verify(model, { ort, inputs });
      expect([passed, layers.map(({ layer }) => layer)]).toEqual([true, [taken]]);
      expect(layers[0].elements).toBe(54);
      expect(skipped.map(({ layer, code }) => [layer, code])).toEqual([[left, "not-executed"]]);
    }
  });

  it("checks every round of a loop, and every call of a function", async () => {
    for (const [id, elements, nodes] of [
      ["handmade/loop-body", [3 * 150], ["loop/body/bn"]],
      ["handmade/local-function", [150, 150], ["first/local.ConvNormRelu/bn", "second/local.ConvNormRelu/bn"]],
      ["handmade/function-constants", [150, 150], ["first/local.Norm/bn", "second/local.Norm/bn"]],
    ] as const) {
      const model = modelOf({ file: `${id}.onnx` });
      const { passed, layers, skipped } = await verify(model, { ort, inputs: randomInputs(model, ort) });
      expect([passed, skipped]).toEqual([true, []]);
      expect(layers.map((each) => each.elements)).toEqual(elements);
      expect(layers.map(({ node }) => node)).toEqual(nodes);
    }
  });

  it("says what it could not check: a branch that only some rounds of a loop take", async () => {
    const model = modelOf({ file: "handmade/nested-if-in-loop.onnx" });
    const { layers, skipped } = await verify(model, { ort, inputs: randomInputs(model, ort) });
    expect(layers).toEqual([]);
    expect(skipped.map(({ layer, code }) => [layer, code])).toEqual([["bn", "in-branch"]]);
    expect(skipped[0].why).toContain("The runtime does not give its values: ");
  });

  it.each([
    ["keras/digits-training", 5],
    ["keras-jax/digits-strided-training", 5],
    ["handmade/conv-moments", 1],
    ["torch/batch-statistics-dynamo", 1],
  ])("checks training mode that is spelled out in nodes: %s", async (id, count) => {
    const known = MODELS.find((each) => each.id === id)!;
    const model = modelOf(known);
    const shapes = Object.fromEntries(Object.entries(known.inputs).map(([name, { shape }]) => [name, shape]));
    const inputs = randomInputs(model, ort, { seed: 1, shapes });
    const { passed, layers, skipped } = await verify(model, { ort, inputs });
    expect([passed, layers.length, skipped]).toEqual([true, count, []]);
    expect(layers.every(({ mode }) => mode === "training")).toBe(true);
    // With another gamma than that of the file some layer is wrong.
    const faulty = await verify(model, { ort: withOtherConstants(1.001), inputs });
    expect(faulty.layers.filter(({ wrong }) => wrong > 0).length).toBeGreaterThan(0);
  });

  it.each(["handmade/float16", "handmade/float16-infinite-variance", "handmade/float16-mixed-types"])(
    "holds float16 against the formula, rounded once: %s",
    async (id) => {
      const model = modelOf({ file: `${id}.onnx` });
      const inputs = randomInputs(model, ort, { seed: 5 });
      const { passed, layers, skipped } = await verify(model, { ort, inputs });
      expect([passed, layers.length, skipped]).toEqual([true, 1, []]);
      // The bound is one of float16, and no more: two of its steps are seen.
      const worst = layers[0].worst!;
      expect(worst.error).toBeGreaterThan(0);
      const shifted = await verify(model, { ort: withOtherConstants(1.01), inputs });
      expect(shifted.passed).toBe(false);
    },
  );

  it("knows that float16 between two nodes is not rounded", async () => {
    const folder = mkdtempSync(join(tmpdir(), "batchnorm-verify-"));
    const optimizedModelFilePath = join(folder, "optimized.onnx");
    try {
      for (const graphOptimizationLevel of ["all", "disabled"] as const) {
        const options = { graphOptimizationLevel, optimizedModelFilePath, logSeverityLevel: 4 } as const;
        await (await ort.InferenceSession.create(writeModel(scaledHalves(300)), options)).release();
        const { node } = readModel(Uint8Array.from(readFileSync(optimizedModelFilePath))).proto.graph!;
        const layer = node.find(({ opType }) => opType === "BatchNormalization")!;
        expect(node.find(({ output }) => output.includes(layer.input[0]))?.opType).toBe("Mul");
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("says nothing of a float16 x that is too large to be shown", async () => {
    // 300 * 300 is infinite in float16, and 900 once it is normalized.
    const inputs = { x: new ort.Tensor("float32", Float32Array.of(300, 1, 300, -1), [2, 2]) };
    const { passed, layers } = await verify(scaledHalves(300), { ort, inputs });
    expect(passed).toBe(true);
    expect(layers[0].worst!.x).not.toBe(Number.POSITIVE_INFINITY);
    expect((await verify(scaledHalves(300), { ort: withOtherConstants(1.1), inputs })).passed).toBe(false);
  });

  it("takes no number for the infinity of an infinite float32 x", async () => {
    const { analysis } = await analysed(untrained(false));
    const values = (...data: number[]) => ({ data: Float32Array.from(data), shape: [1, 3], isHalf: false });
    const match = { ...analysis.matches[0], mode: "inference" } as const;
    const wrongOf = (y: number) => {
      const x = { axis: 1, rounds: [values(Number.POSITIVE_INFINITY, 0, 0)] };
      const result = compareLayer(match, [x], [values(y, -1 / Math.sqrt(2 + match.epsilon!), 3)]);
      return "code" in result ? result : result.wrongChannels;
    };
    expect(wrongOf(Number.POSITIVE_INFINITY)).toEqual([]);
    expect(wrongOf(5)).toEqual([0]);
  });

  it("refuses a missing input, and a model that the runtime does not take", async () => {
    const model = modelOf({ file: "recalibration/digits.onnx" });
    await expectCode("invalid-argument", () => verify(model, { ort, inputs: {} }));
    const inputs = randomInputs(model, ort);
    await expectCode("runtime-failure", () => verify(model, { ort, inputs, executionProviders: ["nonsense"] }));
    await expectCode("runtime-failure", () => verify(modelOf({ file: "handmade/opset-6.onnx" }), { ort, inputs: { x: shifted().x } }));
  });
});

describe("randomInputs", () => {
  it("gives the same numbers for the same seed, normally distributed", () => {
    const models = new Models();
    const x = models.input("x", ["N", 50, 50]);
    models.op("Relu", [x], {}, "y");
    const wanted = models.output("y", ["N", 50, 50]).model();
    const values = (seed: number): Float32Array => randomInputs(wanted, ort, { seed }).x.data as Float32Array;
    expect(values(3)).toEqual(values(3));
    expect(values(3)).not.toEqual(values(4));
    const mean = values(3).reduce((sum, value) => sum + value, 0) / 10_000;
    const square = values(3).reduce((sum, value) => sum + value * value, 0) / 10_000;
    // Four deviations of the mean of 10,000 numbers, and of their squares.
    expect(Math.abs(mean)).toBeLessThan(0.04);
    expect(Math.abs(square - 1)).toBeLessThan(0.057);
  });
});
