import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { randomInputs, verify } from "../src/execute/index.ts";
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

  it("says what it could not check", async () => {
    const known = MODELS.find(({ id }) => id === "handmade/if-branches")!;
    const model = modelOf(known);
    const { layers, skipped } = await verify(model, { ort, inputs: randomInputs(model, ort) });
    expect(layers).toEqual([]);
    expect(skipped.map(({ code }) => code)).toEqual(["in-branch", "in-branch"]);
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
