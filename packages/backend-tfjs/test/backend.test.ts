import { runInNewContext } from "node:vm";
import { createBackend } from "@batchnorm/backend-tfjs";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { draw, layerOf } from "./layer-setup.ts";
import { startTfjs } from "./start-tfjs.ts";

beforeAll(async () => {
  await startTfjs("wasm");
  await startTfjs("cpu");
});

describe("createBackend", () => {
  it("is named after the active backend, and says how it computes", async () => {
    expect(await createBackend({ tf })).toMatchObject({
      specVersion: 1,
      name: "tfjs/cpu",
      supports: { accumulation: "float64", subnormals: "preserved", maxRank: null, nonFinite: ["propagate"] },
    });
  });

  it("runs on the backend that it was given, and leaves the active one active", async () => {
    const wasm = await createBackend({ tf, backend: "wasm" });
    expect(wasm.name).toBe("tfjs/wasm");
    const layer = wasm.create({}, { parameters: { gamma: [1], beta: [0] }, statistics: { movingMean: [0], movingVariance: [1] } });
    const x = wasm.upload({ data: Float32Array.of(1, 2, 4), shape: [3, 1] });
    const before = tf.findBackend("wasm").numDataIds();
    const y = layer.call(x, { training: true, gradient: false });
    expect(tf.getBackend()).toBe("cpu");
    expect(tf.findBackend("wasm").numDataIds()).toBe(before + 1);
    expect((await wasm.download(y)).data[0]).toBeCloseTo(-1.0686, 3);
    expect(() => layer.call(tf.zeros([3, 2]))).toThrow(/number of channels/);
    expect(tf.getBackend()).toBe("cpu");
  });

  it("has the gradients of a tape on its backend, too", async () => {
    const state = { parameters: { gamma: [1.5], beta: [0] }, statistics: { movingMean: [0], movingVariance: [1] } };
    const layer = (await createBackend({ tf, backend: "wasm" })).create({}, state);
    const x = draw([4, 1], 1);
    const kernels: string[] = [];
    const engine = tf.engine();
    const runKernel = engine.runKernel.bind(engine);
    const spy = vi.spyOn(engine, "runKernel").mockImplementation((name, ...rest) => {
      if (name.startsWith("@batchnorm")) kernels.push(`${name} on ${tf.getBackend()}`);
      return runKernel(name, ...rest) as never;
    });
    tf.grad((x: tf.Tensor) => layer.call(x, { training: true, gradient: false }))(x);
    spy.mockRestore();
    expect(kernels).toEqual(["train", "gradients"].map((name) => `@batchnorm/1/${name} on wasm`));
    expect(tf.getBackend()).toBe("cpu");
  });

  it.each(["float16", "bfloat16"] as const)("refuses %s by name, and says what to do", async (dtype) => {
    const backend = await createBackend({ tf });
    expect(backend.supports.dtypes).toEqual(["float32"]);
    const upload = (): unknown => backend.upload({ data: Uint16Array.of(0x3c00, 0), shape: [1, 2], dtype });
    expect(upload).toThrow(`tfjs/cpu has no ${dtype}: received "${dtype}", expected the same numbers in a Float32Array.`);
    expect(upload).toThrow(expect.objectContaining({ code: "unknown-dtype" }));
  });

  it("takes arrays of another realm", async () => {
    const backend = await createBackend({ tf });
    const x = backend.upload({ data: runInNewContext("Float32Array.of(1, 2, 3, 4)") as Float32Array, shape: [2, 2] });
    const mask = backend.upload({ data: runInNewContext("Uint8Array.of(1, 0)") as Uint8Array, shape: [2] });
    expect([x.dtype, mask.dtype]).toEqual(["float32", "bool"]);
    expect((await backend.download(x)).data).toEqual(Float32Array.of(1, 2, 3, 4));
  });

  it("gives and takes copies", async () => {
    const backend = await createBackend({ tf });
    const data = Float32Array.of(1, 2);
    const tensor = backend.upload({ data, shape: [1, 2] });
    data.fill(9);
    (await backend.download(tensor)).data.fill(9);
    expect(await backend.download(tensor)).toEqual({ data: Float32Array.of(1, 2), shape: [1, 2] });
  });

  it("takes @tensorflow/tfjs-core by itself", async () => {
    expect((await createBackend()).name).toBe("tfjs/cpu");
  });

  it("refuses a backend that tfjs does not have, and leaves the active one active", async () => {
    await expect(createBackend({ tf, backend: "webgl" })).rejects.toMatchObject({ code: "invalid-argument" });
    expect(tf.getBackend()).toBe("cpu");
  });

  it("refuses an unknown option, and says where await was forgotten", async () => {
    await expect(createBackend({ tf, device: "wasm" } as never)).rejects.toMatchObject({ code: "invalid-argument" });
    const forgotten = createBackend({ tf });
    expect(() => (forgotten as never as Awaited<typeof forgotten>).create()).toThrow(/await createBackend/);
  });

  it("follows the active backend otherwise: the state moves along", async () => {
    const layer = layerOf();
    const x = [1, 2, 3, 4, 5, 6];
    const onCpu = await layer.call(tf.tensor(x, [2, 3])).data();
    await tf.setBackend("wasm");
    const onWasm = await layer.call(tf.tensor(x, [2, 3])).data();
    await tf.setBackend("cpu");
    expect([...onWasm]).toEqual([...onCpu]);
  });
});

describe("a layer", () => {
  it("refuses what is not a tensor, or is one no more", () => {
    const layer = layerOf();
    const x = draw([2, 3], 1);
    x.dispose();
    for (const wrong of [x, [1, 2, 3], undefined]) {
      expect(() => layer.call(wrong as never)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    }
  });

  it("refuses int32, which tfjs's wasm kernels would take for float32", () => {
    expect(() => layerOf().call(tf.tensor([1, 2, 3], [1, 3], "int32"))).toThrow(expect.objectContaining({ code: "unknown-dtype" }));
  });

  it("rejects state() when it is disposed, and does not throw", async () => {
    const layer = layerOf();
    layer.dispose();
    await expect(layer.state()).rejects.toMatchObject({ code: "disposed" });
  });

  it("gives the state of the moment at which it is asked for", async () => {
    const layer = layerOf();
    const before = layer.state();
    layer.call(draw([4, 3], 1), { training: true });
    expect((await before).statistics.movingMean).toEqual(Float32Array.of(0.5, -0.25, 0));
  });

  it("marks its parameters as trainable as it is itself", () => {
    const layer = layerOf({ trainable: false });
    expect([layer.gamma!.trainable, layer.beta!.trainable]).toEqual([false, false]);
    layer.unfreeze();
    expect([layer.gamma!.trainable, layer.beta!.trainable]).toEqual([true, true]);
    layer.freeze();
    expect([layer.gamma!.trainable, layer.beta!.trainable]).toEqual([false, false]);
  });

  it("backward belongs to the parameters of its call, also when an optimizer has changed them since", async () => {
    const [layer, twin] = [layerOf(), layerOf()];
    const [x, dy] = [draw([4, 3], 1), draw([4, 3], 2)];
    for (const each of [layer, twin]) each.call(x, { training: true });
    layer.gamma!.assign(tf.fill([3], 100));
    expect(await layer.backward(dy).dx.data()).toEqual(await twin.backward(dy).dx.data());
  });
});
