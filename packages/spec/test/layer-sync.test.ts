import { describe, expect, test } from "vitest";
import {
  BatchNormLayer,
  type BatchNormState,
  type ForwardResult,
  type Gradients,
  type HostTensor,
  initialState,
  type LayerRuntime,
  resolveLayer,
} from "../src/index.ts";
import { expectRefusal } from "./expect-error.ts";
import { mask, SUPPORTS, SyncLayer, tensor, tensors } from "./fakes.ts";

const x = tensor([3, 2], 5);
const dy = tensor([3, 2], 1);
const noForward = { received: '"no kept pass"', expected: "a call with training or gradient set before it" };

describe("call", () => {
  test("in inference asks for doInfer and gives back its y", () => {
    const layer = new SyncLayer();
    layer.setState({ statistics: { movingMean: [2, 2] } });
    const y = layer.call(x);
    expect(y).toEqual(tensor([3, 2], 7));
    expect(layer.fake.log).toEqual(["setState", "infer 1"]);
    expect(layer.state().statistics.movingMean).toEqual(Float32Array.of(2, 2));
  });

  test("in training asks for doTrain", () => {
    const layer = new SyncLayer();
    layer.call(x, { training: true });
    expect(layer.fake.log).toEqual(["train 1"]);
    expect(layer.state().statistics.movingMean).toEqual(Float32Array.of(1, 1));
  });

  test("passes the plan on, mask and out included", () => {
    const layer = new SyncLayer();
    const [shown, out] = [mask([3]), tensor([3, 2])];
    layer.call(x, { training: true, mask: shown, out });
    expect(layer.fake.plans[0].mask).toBe(shown);
    expect(layer.fake.plans[0].out).toBe(out);
    expect(layer.fake.plans[0].view).toEqual({ outer: 3, channels: 2, inner: 1 });
  });

  test("that is refused reaches neither the backend nor the state", () => {
    const layer = new SyncLayer();
    const before = layer.state();
    expect(() => layer.call(tensor([3, 4]), { training: true })).toThrow("x has the wrong number of channels");
    expect(layer.fake.log).toEqual(["state"]);
    expect(layer.state()).toEqual(before);
  });
});

describe("freeze and unfreeze", () => {
  test("take effect at the next call", () => {
    const layer = new SyncLayer();
    layer.call(x, { training: true });
    layer.freeze();
    expect(layer.config.trainable).toBe(false);
    layer.call(x, { training: true });
    layer.unfreeze();
    expect(layer.config.trainable).toBe(true);
    layer.call(x, { training: true });
    expect(layer.fake.log.filter((entry) => !entry.startsWith("release"))).toEqual(["train 1", "infer 2", "train 3"]);
    expect(layer.state().statistics.movingMean).toEqual(Float32Array.of(2, 2));
  });

  test("a layer may be frozen from the start", () => {
    const layer = new SyncLayer({ config: { trainable: false } });
    layer.call(x, { training: true });
    expect(layer.fake.log).toEqual(["infer 1"]);
  });

  test("a frozen layer is not given the mask", () => {
    const layer = new SyncLayer();
    layer.freeze();
    layer.call(x, { training: true, mask: mask([3]) });
    expect(layer.fake.plans[0].mask).toBeNull();
  });

  test("between call and backward do not change the pass that was made", () => {
    const layer = new SyncLayer();
    layer.call(x, { training: true });
    layer.freeze();
    expect(layer.backward(dy)).toMatchObject({ dgamma: tensor([2]), dbeta: tensor([2]) });
  });

  test("a frozen training call can be gone back through, to x alone", () => {
    const layer = new SyncLayer({ config: { trainable: false } });
    layer.call(x, { training: true });
    expect(layer.backward(dy)).toEqual({ dx: tensor([3, 2], 1), dgamma: null, dbeta: null });
  });

  test("change no other field, and not the config that was read before", () => {
    const layer = new SyncLayer({ config: { axis: 1, momentum: 0.5 } });
    const before = layer.config;
    layer.freeze();
    expect(layer.config).toEqual({ ...before, trainable: false });
    expect(before.trainable).toBe(true);
    expect(Object.isFrozen(layer.config)).toBe(true);
  });
});

describe("backward", () => {
  test("goes back through the last pass, as often as asked", () => {
    const layer = new SyncLayer();
    layer.call(x, { training: true });
    layer.call(x, { training: true });
    expect(layer.backward(dy).dx).toEqual(tensor([3, 2], 2));
    expect(layer.backward(dy).dx).toEqual(tensor([3, 2], 2));
    expect(layer.fake.log).toEqual(["train 1", "release 1", "train 2", "backward 2", "backward 2"]);
  });

  test("passes the output buffer on", () => {
    const layer = new SyncLayer();
    layer.call(x, { training: true });
    layer.backward(dy);
    layer.backward(dy, {});
    layer.backward(dy, { out: dy });
    expect(layer.fake.outs.map((out) => out === dy)).toEqual([false, false, true]);
    expect(layer.fake.outs.slice(0, 2)).toEqual([null, null]);
  });

  test("goes back through an inference pass that kept what it needs", () => {
    const layer = new SyncLayer();
    layer.call(x, { gradient: true });
    expect(layer.backward(dy).dgamma).toEqual(tensor([2]));
  });

  test("after a call that kept nothing has no pass, though one was kept before", async () => {
    const layer = new SyncLayer();
    layer.call(x, { training: true });
    layer.call(x);
    await expectRefusal("no-forward", { action: () => layer.backward(dy), ...noForward });
  });

  test("after a failed call has no pass, and later calls work", async () => {
    const layer = new SyncLayer();
    layer.call(x, { training: true });
    layer.fake.failure = new Error("device lost");
    expect(() => layer.call(x, { training: true })).toThrow("device lost");
    await expectRefusal("no-forward", { action: () => layer.backward(dy), ...noForward });
    layer.call(x, { training: true });
    expect(layer.backward(dy).dx).toEqual(tensor([3, 2], 3));
    expect(layer.state().statistics.movingMean).toEqual(Float32Array.of(2, 2));
  });

  test("after a refused call still has the pass before it", () => {
    const layer = new SyncLayer();
    layer.call(x, { training: true });
    expect(() => layer.call(tensor([3, 4]))).toThrow("wrong number of channels");
    expect(layer.backward(dy).dx).toEqual(tensor([3, 2], 1));
  });

  test("after a failed backward can be asked again", () => {
    const layer = new SyncLayer();
    layer.call(x, { training: true });
    layer.fake.failure = new Error("out of memory");
    expect(() => layer.backward(dy)).toThrow("out of memory");
    expect(layer.backward(dy).dx).toEqual(tensor([3, 2], 1));
  });
});

describe("setState", () => {
  test("replaces the given fields and leaves the others", () => {
    const layer = new SyncLayer();
    layer.setState({ parameters: { gamma: [2, 3] }, statistics: { movingVariance: [4, 5] } });
    expect(layer.state()).toEqual({
      parameters: { gamma: Float32Array.of(2, 3), beta: Float32Array.of(0, 0) },
      statistics: { movingMean: Float32Array.of(0, 0), movingVariance: Float32Array.of(4, 5) },
    });
  });

  test("takes a whole state, of a layer without gamma too", () => {
    const layer = new SyncLayer({ config: { scale: false } });
    const other = new SyncLayer({ config: { scale: false } });
    other.call(x, { training: true });
    layer.setState(other.state());
    expect(layer.state()).toEqual(other.state());
  });

  test("drops the pass", async () => {
    const layer = new SyncLayer();
    layer.call(x, { training: true });
    layer.setState({});
    await expectRefusal("no-forward", { action: () => layer.backward(dy), ...noForward });
  });

  test("that is refused changes nothing and keeps the pass", () => {
    const layer = new SyncLayer();
    layer.call(x, { training: true });
    const before = layer.state();
    expect(() => layer.setState({ parameters: { gamma: [9, 9] }, statistics: { movingVariance: [1, -1] } })).toThrow(
      "negative in channel 1",
    );
    expect(layer.state()).toEqual(before);
    expect(layer.backward(dy).dx).toEqual(tensor([3, 2], 1));
  });
});

test("state is a copy", () => {
  const layer = new SyncLayer();
  layer.state().statistics.movingMean.fill(9);
  expect(layer.state().statistics.movingMean).toEqual(Float32Array.of(0, 0));
});

describe("what a pass kept", () => {
  const releases = (layer: SyncLayer): string[] => layer.fake.log.filter((entry) => entry.startsWith("release"));

  test.for<[string, (layer: SyncLayer) => void]>([
    ["the next call", (layer) => layer.call(x)],
    ["the next training call", (layer) => layer.call(x, { training: true })],
    ["setState", (layer) => layer.setState({})],
    ["dispose", (layer) => layer.dispose()],
  ])("is released exactly once, by %s", ([, drop]) => {
    const layer = new SyncLayer();
    layer.call(x, { training: true });
    layer.backward(dy);
    expect(releases(layer)).toEqual([]);
    drop(layer);
    expect(releases(layer)).toEqual(["release 1"]);
    layer.dispose();
    expect(releases(layer).filter((entry) => entry === "release 1")).toHaveLength(1);
  });

  test("is not released where nothing was kept", () => {
    const layer = new SyncLayer();
    layer.call(x);
    layer.fake.failure = new Error("device lost");
    expect(() => layer.call(x, { training: true })).toThrow("device lost");
    layer.dispose();
    expect(releases(layer)).toEqual([]);
  });

  test("is not released twice when the release fails", () => {
    const layer = new SyncLayer();
    layer.call(x, { training: true });
    layer.fake.releaseFailure = new Error("cannot free");
    expect(() => layer.setState({})).toThrow("cannot free");
    layer.dispose();
    expect(layer.fake.log).toEqual(["train 1", "release 1", "dispose"]);
  });
});

describe("dispose", () => {
  test("disposes the backend once, however often it is called", () => {
    const layer = new SyncLayer();
    layer.dispose();
    layer.dispose();
    expect(layer.fake.log).toEqual(["dispose"]);
  });

  test("leaves config and channels readable", () => {
    const layer = new SyncLayer();
    layer.dispose();
    expect(layer.channels).toBe(2);
    expect(layer.config.axis).toBe(-1);
  });
});

describe("a layer that computes at once and is read with a promise, of a runtime that is a class", () => {
  class Runtime implements LayerRuntime<HostTensor, "sync"> {
    readonly timing = "sync";
    readonly supports = SUPPORTS;
    asked = 0;
    describe(of: HostTensor): ReturnType<typeof tensors.describe> {
      this.asked++;
      return tensors.describe(of);
    }
    overlaps(a: HostTensor, b: HostTensor): boolean {
      return tensors.overlaps(a, b);
    }
  }

  class Layer extends BatchNormLayer<HostTensor, null, "sync", "async"> {
    constructor(runtime: Runtime) {
      super(runtime, resolveLayer(SUPPORTS, {}, initialState({ scale: true, center: true }, 2)));
    }
    protected override doInfer(given: HostTensor): ForwardResult<HostTensor, null> {
      return { y: given, saved: null };
    }
    protected override doTrain(given: HostTensor): ForwardResult<HostTensor, null> {
      return { y: given, saved: null };
    }
    protected override doBackward(dx: HostTensor): Gradients<HostTensor> {
      return { dx, dgamma: null, dbeta: null };
    }
    protected override async doState(): Promise<BatchNormState> {
      return initialState({ scale: true, center: true }, 2);
    }
    protected override doSetState(): void {}
    protected override doDispose(): void {}
  }

  test("gives y at once and the state later", async () => {
    const runtime = new Runtime();
    const layer = new Layer(runtime);
    expect(layer.call(x)).toBe(x);
    expect(runtime.asked).toBe(1);
    await expect(layer.state()).resolves.toEqual(initialState({ scale: true, center: true }, 2));
  });

  test("has no pass where the backend kept nothing, and nothing to release", async () => {
    const layer = new Layer(new Runtime());
    layer.call(x, { training: true });
    await expectRefusal("no-forward", { action: () => layer.backward(dy), ...noForward });
    expect(() => layer.dispose()).not.toThrow();
  });
});
