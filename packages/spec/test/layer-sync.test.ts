import { describe, expect, test } from "vitest";
import { BatchNormError, defineBackend, type HostTensor, hostTensors, initialState, promiseBackend } from "../src/index.ts";
import { expectRefusal } from "./expect-error.ts";
import { asyncReadsLayer, mask, type SyncLayer, syncLayer, tensor } from "./fakes.ts";

const x = tensor([3, 2], 5);
const dy = tensor([3, 2], 1);
const noForward = { received: '"no kept pass"', expected: "a call with training or gradient set before it" };

describe("call", () => {
  test("in inference asks for infer and gives back its y", () => {
    const layer = syncLayer();
    layer.setState({ statistics: { movingMean: [2, 2] } });
    const y = layer.call(x);
    expect(y).toEqual(tensor([3, 2], 7));
    expect(layer.fake.log).toEqual(["setState", "infer 1"]);
    expect(layer.state().statistics.movingMean).toEqual(Float32Array.of(2, 2));
  });

  test("in training asks for train", () => {
    const layer = syncLayer();
    layer.call(x, { training: true });
    expect(layer.fake.log).toEqual(["train 1"]);
    expect(layer.state().statistics.movingMean).toEqual(Float32Array.of(1, 1));
  });

  test("passes the plan on, mask and out included", () => {
    const layer = syncLayer();
    const [shown, out] = [mask([3]), tensor([3, 2])];
    layer.call(x, { training: true, mask: shown, out });
    expect(layer.fake.passes[0].mask).toBe(shown);
    expect(layer.fake.passes[0].out).toBe(out);
    expect(layer.fake.passes[0].view).toEqual({ outer: 3, channels: 2, inner: 1 });
  });

  test("that is refused reaches neither the backend nor the state", () => {
    const layer = syncLayer();
    const before = layer.state();
    expect(() => layer.call(tensor([3, 4]), { training: true })).toThrow("x has the wrong number of channels");
    expect(layer.fake.log).toEqual(["state"]);
    expect(layer.state()).toEqual(before);
  });
});

describe("freeze and unfreeze", () => {
  test("take effect at the next call", () => {
    const layer = syncLayer();
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
    const layer = syncLayer({ config: { trainable: false } });
    layer.call(x, { training: true });
    expect(layer.fake.log).toEqual(["infer 1"]);
  });

  test("a frozen layer is not given the mask", () => {
    const layer = syncLayer();
    layer.freeze();
    layer.call(x, { training: true, mask: mask([3]) });
    expect(layer.fake.passes[0].mask).toBeNull();
  });

  test("between call and backward do not change the pass that was made", () => {
    const layer = syncLayer();
    layer.call(x, { training: true });
    layer.freeze();
    expect(layer.backward(dy)).toMatchObject({ dgamma: tensor([2]), dbeta: tensor([2]) });
  });

  test("a frozen training call can be gone back through, to x alone", () => {
    const layer = syncLayer({ config: { trainable: false } });
    layer.call(x, { training: true });
    expect(layer.backward(dy)).toEqual({ dx: tensor([3, 2], 1), dgamma: null, dbeta: null });
  });

  test("change no other field, and not the config that was read before", () => {
    const layer = syncLayer({ config: { axis: 1, momentum: 0.5 } });
    const before = layer.config;
    layer.freeze();
    expect(layer.config).toEqual({ ...before, trainable: false });
    expect(before.trainable).toBe(true);
    expect(Object.isFrozen(layer.config)).toBe(true);
  });
});

describe("backward", () => {
  test("goes back through the last pass, as often as asked", () => {
    const layer = syncLayer();
    layer.call(x, { training: true });
    layer.call(x, { training: true });
    expect(layer.backward(dy).dx).toEqual(tensor([3, 2], 2));
    expect(layer.backward(dy).dx).toEqual(tensor([3, 2], 2));
    expect(layer.fake.log).toEqual(["train 1", "release 1", "train 2", "backward 2", "backward 2"]);
  });

  test("passes the output buffer on", () => {
    const layer = syncLayer();
    layer.call(x, { training: true });
    layer.backward(dy);
    layer.backward(dy, {});
    layer.backward(dy, { out: dy });
    expect(layer.fake.outs.map((out) => out === dy)).toEqual([false, false, true]);
    expect(layer.fake.outs.slice(0, 2)).toEqual([null, null]);
  });

  test("goes back through an inference pass that kept what it needs", () => {
    const layer = syncLayer();
    layer.call(x, { gradient: true });
    expect(layer.backward(dy).dgamma).toEqual(tensor([2]));
  });

  test("after a call that kept nothing has no pass, though one was kept before", async () => {
    const layer = syncLayer();
    layer.call(x, { training: true });
    layer.call(x);
    await expectRefusal("no-forward", { action: () => layer.backward(dy), ...noForward });
  });

  test("after a failed call has no pass, and later calls work", async () => {
    const layer = syncLayer();
    layer.call(x, { training: true });
    layer.fake.failure = new Error("device lost");
    expect(() => layer.call(x, { training: true })).toThrow("device lost");
    await expectRefusal("no-forward", { action: () => layer.backward(dy), ...noForward });
    layer.call(x, { training: true });
    expect(layer.backward(dy).dx).toEqual(tensor([3, 2], 3));
    expect(layer.state().statistics.movingMean).toEqual(Float32Array.of(2, 2));
  });

  test("after a refused call still has the pass before it", () => {
    const layer = syncLayer();
    layer.call(x, { training: true });
    expect(() => layer.call(tensor([3, 4]))).toThrow("wrong number of channels");
    expect(layer.backward(dy).dx).toEqual(tensor([3, 2], 1));
  });

  test("after a failed backward can be asked again", () => {
    const layer = syncLayer();
    layer.call(x, { training: true });
    layer.fake.failure = new Error("out of memory");
    expect(() => layer.backward(dy)).toThrow("out of memory");
    expect(layer.backward(dy).dx).toEqual(tensor([3, 2], 1));
  });
});

describe("setState", () => {
  test("replaces the given fields and leaves the others", () => {
    const layer = syncLayer();
    layer.setState({ parameters: { gamma: [2, 3] }, statistics: { movingVariance: [4, 5] } });
    expect(layer.state()).toEqual({
      parameters: { gamma: Float32Array.of(2, 3), beta: Float32Array.of(0, 0) },
      statistics: { movingMean: Float32Array.of(0, 0), movingVariance: Float32Array.of(4, 5) },
    });
  });

  test("takes a whole state, of a layer without gamma too", () => {
    const layer = syncLayer({ config: { scale: false } });
    const other = syncLayer({ config: { scale: false } });
    other.call(x, { training: true });
    layer.setState(other.state());
    expect(layer.state()).toEqual(other.state());
  });

  test("drops the pass", async () => {
    const layer = syncLayer();
    layer.call(x, { training: true });
    layer.setState({});
    await expectRefusal("no-forward", { action: () => layer.backward(dy), ...noForward });
  });

  test("that is refused changes nothing and keeps the pass", () => {
    const layer = syncLayer();
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
  const layer = syncLayer();
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
    const layer = syncLayer();
    layer.call(x, { training: true });
    layer.backward(dy);
    expect(releases(layer)).toEqual([]);
    drop(layer);
    expect(releases(layer)).toEqual(["release 1"]);
    layer.dispose();
    expect(releases(layer).filter((entry) => entry === "release 1")).toHaveLength(1);
  });

  test("is not released where nothing was kept", () => {
    const layer = syncLayer();
    layer.call(x);
    layer.fake.failure = new Error("device lost");
    expect(() => layer.call(x, { training: true })).toThrow("device lost");
    layer.dispose();
    expect(releases(layer)).toEqual([]);
  });

  test("is not released twice when the release fails", () => {
    const layer = syncLayer();
    layer.call(x, { training: true });
    layer.fake.releaseFailure = new Error("cannot free");
    expect(() => layer.setState({})).toThrow("cannot free");
    layer.dispose();
    expect(layer.fake.log).toEqual(["train 1", "release 1", "dispose"]);
  });
});

describe("dispose", () => {
  test("disposes the backend once, however often it is called", () => {
    const layer = syncLayer();
    layer.dispose();
    layer.dispose();
    expect(layer.fake.log).toEqual(["dispose"]);
  });

  test("leaves config and channels readable", () => {
    const layer = syncLayer();
    layer.dispose();
    expect(layer.channels).toBe(2);
    expect(layer.config.axis).toBe(-1);
  });
});

describe("a layer that computes at once and is read with a promise", () => {
  test("gives y at once and the state later", async () => {
    const layer = asyncReadsLayer();
    expect(layer.call(x)).toEqual(tensor([3, 2], 5));
    await expect(layer.state()).resolves.toEqual(initialState({ scale: true, center: true }, 2));
  });

  test("reads the state of the moment when it is asked", async () => {
    const layer = asyncReadsLayer();
    const state = layer.state();
    layer.call(x, { training: true });
    expect((await state).statistics.movingMean).toEqual(Float32Array.of(0, 0));
  });

  test("rejects, and does not throw, where there is nothing to read", async () => {
    const layer = asyncReadsLayer();
    layer.dispose();
    await expect(layer.state()).rejects.toMatchObject({ code: "disposed" });
  });
});

describe("trainable", () => {
  test("is Keras's switch: to set it is to freeze", () => {
    const layer = syncLayer();
    expect(layer.trainable).toBe(true);
    layer.trainable = false;
    expect(layer.config.trainable).toBe(false);
    layer.call(x, { training: true });
    layer.trainable = true;
    layer.call(x, { training: true });
    expect(layer.fake.log.filter((entry) => !entry.startsWith("release"))).toEqual(["infer 1", "train 2"]);
  });

  test("wants a boolean, and stays what it was", async () => {
    const layer = syncLayer();
    const action = (): void => {
      layer.trainable = 0 as never;
    };
    await expectRefusal("invalid-argument", { action, received: "0", expected: "true or false" });
    expect(layer.trainable).toBe(true);
  });
});

describe("a layer that is made without a state", () => {
  test("takes Keras's initial state, with as many channels as the first x has", () => {
    const layer = syncLayer({ config: { axis: 1 }, state: "none" });
    expect(layer.channels).toBe(0);
    layer.call(tensor([2, 5, 3]));
    expect(layer.channels).toBe(5);
    expect(layer.state()).toEqual(initialState({ scale: true, center: true }, 5));
  });

  test("keeps that number", () => {
    const layer = syncLayer({ state: "none" });
    layer.call(x);
    expect(() => layer.call(tensor([3, 4]))).toThrow("x has the wrong number of channels");
  });

  test("stays without one where the first call is refused", async () => {
    const layer = syncLayer({ state: "none" });
    expect(() => layer.call(tensor([0, 2]), { training: true })).toThrow("nothing to train on");
    await expectRefusal("not-built", { action: () => layer.state(), received: '"no state"', expected: "or a call first" });
  });

  test("is frozen or not as it was told before it had one", () => {
    const layer = syncLayer({ state: "none" });
    layer.freeze();
    layer.call(x, { training: true });
    expect(layer.fake.log).toEqual(["infer 1"]);
  });

  test("takes a whole state, and no part of one", () => {
    const layer = syncLayer({ state: "none" });
    expect(() => layer.setState({ statistics: { movingMean: [1, 1, 1], movingVariance: [1, 1, 1] } })).toThrow("must be a plain object");
    expect(layer.channels).toBe(0);
    layer.setState(initialState({ scale: true, center: true }, 3));
    expect(layer.channels).toBe(3);
  });

  test("may be told the number of channels instead", () => {
    const layer = syncLayer({ state: 3 });
    expect(layer.channels).toBe(3);
    expect(layer.state()).toEqual(initialState({ scale: true, center: true }, 3));
  });

  test("can be disposed", () => {
    const layer = syncLayer({ state: "none" });
    layer.dispose();
    expect(() => layer.call(x)).toThrow("disposed");
  });
});

describe("the shape of x", () => {
  const reused = { data: new Float32Array(6), shape: [3, 2] };

  test("is copied: a caller may use one object for the next batch, and backward still fits the last one", () => {
    const layer = syncLayer();
    layer.call(reused, { training: true });
    reused.shape[0] = 1;
    expect(() => layer.backward(tensor([1, 2]))).toThrow("dy has the wrong shape");
    expect(layer.backward(dy).dx.shape).toEqual([3, 2]);
    reused.shape[0] = 3;
  });

  test("is checked anew when it is another one", () => {
    const layer = syncLayer();
    layer.call(x);
    expect(() => layer.call({ data: new Float32Array(6), shape: [2, 3] })).toThrow("wrong number of channels");
    expect(() => layer.call({ data: new Float32Array(6), shape: [1, 2] })).toThrow("does not fill its shape");
    // biome-ignore lint/suspicious/noSparseArray: the hole is the point
    expect(() => layer.call({ data: new Float32Array(6), shape: [, 2] as never })).toThrow("The shape has a wrong dimension");
  });
});

describe("nonFinite: 'reject'", () => {
  const config = { nonFinite: "reject" } as const;
  const broken = { data: Float32Array.of(1, 2, 3, Number.NaN, 5, 6), shape: [3, 2] };

  test("refuses x before anything has changed, and the pending pass stays", async () => {
    const layer = syncLayer({ config });
    layer.call(x, { training: true });
    const action = (): unknown => layer.call(broken, { training: true });
    await expectRefusal("non-finite", { action, received: "NaN", expected: "since nonFinite is 'reject'" });
    expect(layer.fake.log).toEqual(["train 1"]);
    expect(layer.backward(dy).dx).toEqual(tensor([3, 2], 1));
  });

  test("is not offered where tensors cannot be searched", () => {
    expect(() => syncLayer({ config, without: ["findNonFinite"] })).toThrow("does not take such a nonFinite");
  });
});

describe("defineBackend", () => {
  const infer = ({ x }: { x: HostTensor<Float32Array> }) => ({ y: x });

  test("declares what the definition has, and no more", () => {
    expect(defineBackend({ name: "least", infer }).supports).toEqual({
      maxRank: null,
      axes: "any",
      dtypes: ["float32"],
      training: false,
      minElements: 1,
      gradients: false,
      masks: false,
      out: false,
      varianceEstimators: ["population"],
      nonFinite: ["propagate", "reject"],
      accumulation: "float32",
      subnormals: "preserved",
    });
  });

  test.for<[string, unknown]>([
    ["nothing", undefined],
    ["no name", { infer }],
    ["no infer", { name: "mine" }],
    ["a train that is no function", { name: "mine", infer, train: true }],
  ])("refuses %s", ([, definition]) => {
    expect(() => defineBackend(definition as never)).toThrow(BatchNormError);
  });

  test("takes the last axis alone where the backend says so, however it is counted", () => {
    const make = (axis: number) => syncLayer({ config: { axis }, supports: { axes: "last" } });
    expect(make(-1).call(x).shape).toEqual([3, 2]);
    expect(make(1).call(x).shape).toEqual([3, 2]);
    expect(() => make(1).call(tensor([3, 2, 4]))).toThrow("takes the last axis only");
  });

  test("refuses to train on fewer elements than the backend says", () => {
    const layer = syncLayer({ supports: { minElements: 2 } });
    expect(() => layer.call(tensor([1, 2]), { training: true })).toThrow("does not train on so few elements");
    expect(layer.call(tensor([1, 2])).shape).toEqual([1, 2]);
  });

  test("names a failure of the runtime, whatever it throws, and keeps it as the cause", () => {
    const cause = new RangeError("Array buffer allocation failed");
    const backend = defineBackend({
      name: "mine",
      timing: "sync",
      infer: () => {
        throw cause;
      },
    });
    const layer = backend.create({}, 2);
    expect(() => layer.call(x)).toThrow(expect.objectContaining({ code: "runtime-failure", cause }));
    expect(() => layer.call(x)).toThrow(/^mine failed in inference, on a layer of 2 channels with the config .* "Array buffer/);
  });

  test("says so when a backend that calls itself synchronous answers with a promise", () => {
    const backend = defineBackend({ name: "mine", timing: "sync", infer: (async () => ({ y: x })) as never });
    expect(() => backend.create({}, 2).call(x)).toThrow("a backend that gives promises leaves out timing");
  });

  test("gives promises, unless it is told that the arithmetic answers at once", async () => {
    const layer = defineBackend({ name: "mine", infer }).create({}, 2);
    const y = layer.call(x);
    expect(y).toBeInstanceOf(Promise);
    await expect(y).resolves.toBe(x);
  });

  test("takes what is no tensor of the runtime for a wrong argument, whatever `describe` throws", () => {
    const backend = defineBackend({
      name: "mine",
      timing: "sync",
      tensors: { ...hostTensors, describe: (t) => ({ shape: t.shape, dtype: t.data.length ? "float32" : "none" }) },
      infer,
    });
    expect(() => backend.create({}, 2).call(null as never)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });

  test.for<[string, (backend: ReturnType<typeof defineBackend>) => unknown]>([
    ["upload of null", (backend) => backend.upload(null as never)],
    ["upload of an array", (backend) => backend.upload([1, 2] as never)],
    ["release of null", (backend) => backend.release(null as never)],
    ["release of undefined", (backend) => backend.release(undefined as never)],
  ])("refuses %s", ([, action]) => {
    expect(() => action(defineBackend({ name: "mine", infer }))).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });

  test("refuses the download of null by a promise", async () => {
    await expect(defineBackend({ name: "mine", infer }).download(null as never)).rejects.toMatchObject({ code: "invalid-argument" });
  });

  test("refuses to upload data that does not fill its shape, or a shape that is none", () => {
    const { upload } = defineBackend({ name: "mine", infer });
    expect(() => upload({ data: new Float32Array(3), shape: [2, 2] })).toThrow("does not fill its shape");
    expect(() => upload({ data: new Float32Array(3), shape: 3 as never })).toThrow("The shape is not an array");
    expect(() => upload({ data: new Int32Array(4) as never, shape: [2, 2] })).toThrow('is not taken: received "Int32Array"');
  });
});

test("the promise of a backend is one, and says so where await was forgotten", async () => {
  const backend = defineBackend({ name: "mine", infer: ({ x }) => ({ y: x }) });
  const promise = promiseBackend(Promise.resolve(backend));
  expect(() => (promise as unknown as typeof backend).create({})).toThrow("expected await createBackend(...)");
  expect(await promise).toBe(backend);
});

test("a layer prints as what it is", async () => {
  const { inspect } = await import("node:util");
  const layer = syncLayer();
  expect(inspect(layer)).toContain("backend: 'fake'");
  layer.freeze();
  expect(inspect(layer)).toContain("mode: 'frozen'");
});
