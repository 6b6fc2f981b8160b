import { describe, expect, test } from "vitest";
import { expectRefusal } from "./expect-error.ts";
import { type AsyncLayer, asyncLayer, mask, tensor } from "./fakes.ts";

const x = tensor([3, 2], 5);
const dy = tensor([3, 2], 1);
const noForward = { received: '"no kept pass"', expected: "a call with training or gradient set before it" };

describe("calls that overlap", () => {
  test("run one after another, in the order in which they were made", async () => {
    const layer = asyncLayer();
    layer.hold();
    const results = [layer.call(x, { training: true }), layer.call(x, { training: true }), layer.call(x)];
    const state = layer.state();
    layer.go();
    // Each training step adds 1 to the moving mean, and y is x plus the moving mean before it.
    expect(await Promise.all(results)).toEqual([tensor([3, 2], 5), tensor([3, 2], 6), tensor([3, 2], 7)]);
    expect((await state).statistics.movingMean).toEqual(Float32Array.of(2, 2));
    expect(layer.fake.log).toEqual([
      ...["begin", "train 1", "done", "release 1"],
      ...["begin", "train 2", "done", "release 2"],
      ...["begin", "infer 3", "done"],
      ...["begin", "state", "done"],
    ]);
  });

  test("do not begin before the one in front is done", async () => {
    const layer = asyncLayer();
    layer.hold();
    const first = layer.call(x);
    const second = layer.call(x);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(layer.fake.log).toEqual(["begin"]);
    layer.go();
    await Promise.all([first, second]);
    expect(layer.fake.log).toEqual(["begin", "infer 1", "done", "begin", "infer 2", "done"]);
  });

  test("go on after one of them fails, and the failure reaches its own caller alone", async () => {
    const layer = asyncLayer();
    layer.fake.failure = new Error("device lost");
    const results = await Promise.allSettled([layer.call(x, { training: true }), layer.call(x, { training: true }), layer.state()]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
    expect(results[0]).toMatchObject({ reason: { code: "runtime-failure", cause: new Error("device lost") } });
    expect(results[1]).toMatchObject({ value: tensor([3, 2], 5) });
    expect((await layer.state()).statistics.movingMean).toEqual(Float32Array.of(1, 1));
  });
});

describe("a call is judged when it is made", () => {
  test("by the trainable of that moment, not of the moment when it runs", async () => {
    const layer = asyncLayer();
    layer.hold();
    const results = [layer.call(x, { training: true })];
    layer.freeze();
    results.push(layer.call(x, { training: true, mask: mask([3]) }));
    layer.unfreeze();
    results.push(layer.call(x, { training: true }));
    layer.go();
    await Promise.all(results);
    expect(layer.fake.log.filter((entry) => /infer|train/.test(entry))).toEqual(["train 1", "infer 2", "train 3"]);
    expect(layer.fake.passes[1].mask).toBeNull();
  });

  test("by the arguments of that moment: a refusal does not wait for the queue", async () => {
    const layer = asyncLayer();
    layer.hold();
    const pending = layer.call(x);
    await expectRefusal("channel-mismatch", { action: () => layer.call(tensor([3, 4])), received: "[3, 4]", expected: "2 there" });
    expect(layer.fake.log).toEqual(["begin"]);
    layer.go();
    await pending;
  });

  test("backward belongs to the call made before it, though that one has not run, and not to the one after", async () => {
    const layer = asyncLayer();
    layer.hold();
    const call = layer.call(x, { training: true });
    const gradients = layer.backward(dy);
    const next = layer.call(x, { training: true });
    layer.go();
    await Promise.all([call, next]);
    expect((await gradients).dx).toEqual(tensor([3, 2], 1));
    expect(layer.fake.log.filter((entry) => !/begin|done/.test(entry))).toEqual(["train 1", "backward 1", "release 1", "train 2"]);
  });

  test("backward is checked against the shape of a call that has not run", async () => {
    const layer = asyncLayer();
    layer.hold();
    const call = layer.call(x, { training: true });
    const refusal = { action: () => layer.backward(tensor([2, 2])), received: "[2, 2]", expected: "[3, 2]" };
    await expectRefusal("invalid-gradient", refusal);
    layer.go();
    await call;
  });

  test("setState is copied when it is called", async () => {
    const layer = asyncLayer();
    const gamma = Float32Array.of(2, 3);
    const written = layer.setState({ parameters: { gamma } });
    gamma.fill(9);
    await written;
    expect((await layer.state()).parameters.gamma).toEqual(Float32Array.of(2, 3));
  });
});

describe("what cannot be done is a rejection, never a throw", () => {
  test.for<[string, (layer: AsyncLayer) => Promise<unknown>, string]>([
    ["call", (layer) => layer.call(tensor([4])), "invalid-rank"],
    ["call with unknown options", (layer) => layer.call(x, { train: true } as never), "invalid-argument"],
    ["backward", (layer) => layer.backward(dy), "no-forward"],
    ["setState", (layer) => layer.setState({ parameters: { gamma: [1] } }), "wrong-length"],
  ])("%s", async ([, action, code]) => {
    const promise = action(asyncLayer());
    expect(promise).toBeInstanceOf(Promise);
    await expect(promise).rejects.toMatchObject({ code });
  });

  test.for<[string, (layer: AsyncLayer) => Promise<unknown>]>([
    ["call", (layer) => layer.call(x)],
    ["backward", (layer) => layer.backward(dy)],
    ["state", (layer) => layer.state()],
    ["setState", (layer) => layer.setState({})],
  ])("%s on a disposed layer", async ([name, action]) => {
    const layer = asyncLayer();
    await layer.dispose();
    const promise = action(layer);
    expect(promise).toBeInstanceOf(Promise);
    await expectRefusal("disposed", { action: () => promise, received: `"${name}"`, expected: "a layer that is in use" });
  });

  test("a failure that nobody awaits is still reported by the runtime", async () => {
    const others = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    try {
      const reported = new Promise((resolve) => process.once("unhandledRejection", resolve));
      const layer = asyncLayer();
      layer.fake.failure = new Error("device lost");
      layer.call(x);
      await expect(reported).resolves.toMatchObject({ code: "runtime-failure", cause: new Error("device lost") });
    } finally {
      for (const listener of others) process.on("unhandledRejection", listener);
    }
  });
});

describe("backward", () => {
  test("of a call that will fail has no pass", async () => {
    const layer = asyncLayer();
    layer.fake.failure = new Error("device lost");
    const call = layer.call(x, { training: true });
    const backward = layer.backward(dy);
    await expect(call).rejects.toThrow("device lost");
    await expectRefusal("no-forward", { action: () => backward, ...noForward });
    expect(layer.fake.log.filter((entry) => entry.startsWith("backward"))).toEqual([]);
  });

  test("after setState has no pass, though setState waits for the call", async () => {
    const layer = asyncLayer();
    layer.hold();
    const call = layer.call(x, { training: true });
    const written = layer.setState({ statistics: { movingMean: [7, 7] } });
    await expectRefusal("no-forward", { action: () => layer.backward(dy), ...noForward });
    layer.go();
    await Promise.all([call, written]);
    expect((await layer.state()).statistics.movingMean).toEqual(Float32Array.of(7, 7));
  });
});

describe("dispose", () => {
  test("during a run waits for it, and for the calls behind it", async () => {
    const layer = asyncLayer();
    layer.hold();
    const call = layer.call(x, { training: true });
    const gradients = layer.backward(dy);
    const state = layer.state();
    const disposed = layer.dispose();
    await expectRefusal("disposed", { action: () => layer.call(x), received: '"call"', expected: "a layer that is in use" });
    layer.go();
    await disposed;
    expect(await call).toEqual(tensor([3, 2], 5));
    expect((await gradients).dx).toEqual(tensor([3, 2], 1));
    expect((await state).statistics.movingMean).toEqual(Float32Array.of(1, 1));
    expect(layer.fake.log.filter((entry) => !/begin|done/.test(entry))).toEqual(["train 1", "backward 1", "state", "release 1", "dispose"]);
  });

  test("a second one waits for the first and does nothing", async () => {
    const layer = asyncLayer();
    layer.hold();
    layer.dispose();
    const second = layer.dispose();
    layer.go();
    await second;
    expect(layer.fake.log).toEqual(["begin", "dispose", "done"]);
  });

  test("releases what was kept exactly once", async () => {
    const layer = asyncLayer();
    await layer.call(x, { training: true });
    await layer.call(x, { training: true });
    await layer.dispose();
    await layer.dispose();
    expect(layer.fake.log.filter((entry) => entry.startsWith("release"))).toEqual(["release 1", "release 2"]);
  });
});

test("a release that fails rejects the call that caused it, and not the ones after", async () => {
  const layer = asyncLayer();
  await layer.call(x, { training: true });
  layer.fake.releaseFailure = new Error("cannot free");
  await expect(layer.call(x)).rejects.toThrow("cannot free");
  await expect(layer.call(x)).resolves.toEqual(tensor([3, 2], 6));
  expect(layer.fake.log.filter((entry) => entry.startsWith("release"))).toEqual(["release 1"]);
});

test("a release that fails during dispose rejects it, and the rest is freed all the same", async () => {
  const layer = asyncLayer();
  await layer.call(x, { training: true });
  layer.fake.releaseFailure = new Error("cannot free");
  await expect(layer.dispose()).rejects.toThrow("cannot free");
  expect(layer.fake.log.filter((entry) => /release|dispose/.test(entry))).toEqual(["release 1", "dispose"]);
});
