import * as tf from "@tensorflow/tfjs";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { draw, held, layerOf } from "./layer-setup.ts";
import { startTfjs } from "./start-tfjs.ts";

beforeAll(async () => {
  await startTfjs("cpu");
  await startTfjs("wasm");
});

describe.each(["cpu", "wasm"])("on %s", (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });
  afterEach(() => {
    tf.env().set("IS_TEST", false);
    vi.restoreAllMocks();
  });

  it("a call leaves its result and nothing else", () => {
    // tfjs's own check of every kernel for what it leaves behind.
    tf.env().set("IS_TEST", true);
    const layer = layerOf();
    const x = draw([5, 3], 1);
    const mask = tf.tensor([1, 0, 1, 1, 0], [5], "bool");
    for (const options of [{}, { training: true, gradient: false }, { training: true, gradient: false, mask }]) {
      const before = held();
      const y = layer.call(x, options);
      expect(held()).toEqual({ tensors: before.tensors + 1, buffers: before.buffers + 1, dataIds: before.dataIds + 1 });
      y.dispose();
      expect(held()).toEqual(before);
    }
  });

  it("a pass that is kept for backward replaces the one before it, and dispose frees it", async () => {
    const [x, dy] = [draw([5, 3], 1), draw([5, 3], 2)];
    const empty = held();
    const layer = layerOf();
    layer.call(x, { training: true }).dispose();
    const kept = held();
    for (let step = 0; step < 3; step++) {
      layer.call(x, { training: true }).dispose();
      const { dx, dgamma, dbeta } = layer.backward(dy);
      tf.dispose([dx, dgamma!, dbeta!]);
      await layer.state();
      expect(held()).toEqual(kept);
    }
    layer.setState({ parameters: { gamma: [1, 1, 1] } });
    layer.dispose();
    expect(held()).toEqual(empty);
  });

  it("keeps what backward needs when the caller frees or tidies x", async () => {
    const [layer, twin] = [layerOf(), layerOf()];
    const [x, dy] = [draw([5, 3], 1), draw([5, 3], 2)];
    tf.tidy(() => layer.call(tf.clone(x), { training: true }));
    twin.call(x, { training: true });
    expect(await layer.backward(dy).dx.data()).toEqual(await twin.backward(dy).dx.data());
  });

  it("a tape keeps x without a copy, also when the forward pass frees it", () => {
    const layer = layerOf();
    const x = draw([500, 3], 1);
    const kept: number[] = [];
    const before = held().dataIds;
    const [dx] = tf.grads((x: tf.Tensor) => {
      const input = tf.mul(x, 2);
      const buffers = held().dataIds;
      const y = layer.call(input, { training: true, gradient: false });
      kept.push(held().dataIds - buffers);
      return y;
    })([x]);
    // y, and mean, variance, remainder and downscale of the batch.
    expect(kept).toEqual([5]);
    expect(held().dataIds).toBe(before + 1);
    const [wanted] = tf.grads((x: tf.Tensor) => layer.call(x, { training: true, gradient: false }))([tf.mul(x, 2)]);
    expect(dx.dataSync()).toEqual(tf.mul(wanted, 2).dataSync());
  });

  it("a heap that has grown since the last call is looked at anew", () => {
    const layer = layerOf();
    const x = draw([500, 3], 1);
    const first = layer.call(x).dataSync();
    // More than tfjs's wasm heap has free.
    tf.zeros([2 ** 24]).dispose();
    expect(layer.call(x).dataSync()).toEqual(first);
  });

  it("a refused call leaves nothing", () => {
    const layer = layerOf();
    const x = draw([5, 3], 1);
    const [wrong, bad] = [draw([5, 4], 1), tf.zeros([4], "bool")];
    const before = held();
    expect(() => layer.call(wrong)).toThrow(/number of channels/);
    expect(() => layer.call(x, { training: true, mask: bad })).toThrow(/mask has the wrong shape/);
    expect(() => layer.backward(x)).toThrow(/no forward pass/);
    expect(held()).toEqual(before);
  });

  it("a call that tfjs fails leaves nothing, and the state as it was", async () => {
    const broken = Object.assign({}, tf, {
      getKernel: (name: string, backendName: string) => {
        if (name.endsWith("train")) throw new Error("the device is lost");
        return tf.getKernel(name as never, backendName);
      },
    });
    const layer = layerOf({}, broken);
    const x = draw([5, 3], 1);
    const state = await layer.state();
    const before = held();
    expect(() => layer.call(x, { training: true })).toThrow(
      expect.objectContaining({ code: "runtime-failure", cause: expect.objectContaining({ message: "the device is lost" }) }),
    );
    expect(held()).toEqual(before);
    expect(await layer.state()).toEqual(state);
  });

  // tfjs's cpu kernels go through readSync to reach their own memory.
  it.skipIf(backend === "cpu")("nothing is read back by call, backward, setState, freeze", () => {
    const layer = layerOf();
    const [x, dy] = [draw([5, 3], 1), draw([5, 3], 2)];
    const mask = tf.tensor([0, 0, 0, 0, 0], [5], "bool");
    const reads = (["readSync", "read"] as const).map((name) => vi.spyOn(tf.backend(), name));
    layer.call(x);
    layer.call(x, { training: true, mask });
    layer.backward(dy);
    tf.grads((x: tf.Tensor) => layer.call(x, { training: true, mask }))([x, layer.gamma!], dy);
    layer.setState({ statistics: { movingMean: [1, 2, 3] } });
    layer.freeze();
    layer.call(x, { training: true });
    for (const read of reads) expect(read).not.toHaveBeenCalled();
  });

  it("a thousand training steps stay flat", () => {
    const layer = layerOf();
    const [x, target] = [draw([5, 3], 1), draw([5, 3], 2)];
    const optimizer = tf.train.sgd(0.01);
    const step = (): void => {
      optimizer.minimize(() => tf.mean(tf.square(tf.sub(layer.call(x, { training: true }), target))) as tf.Scalar);
    };
    step();
    const before = held();
    for (let count = 0; count < 1000; count++) step();
    expect(held()).toEqual(before);
  });
});
