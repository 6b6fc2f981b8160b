import { expect, test } from "vitest";
import { initialState } from "../src/index.ts";
import { expectRefusal } from "./expect-error.ts";
import { type SyncLayer, syncLayer, tensor } from "./fakes.ts";

// The arguments of a call are objects of the caller's, and their getters may call the very layer that looks at them.

const x = tensor([3, 2], 5);
const dy = tensor([3, 2], 1);
const changed = { expected: "arguments whose getters leave the layer as it is" };

/** A tensor that does something when it is first looked at. */
function acting(act: () => void, of: typeof x = x): typeof x {
  let seen = false;
  return {
    get data() {
      if (!seen) {
        seen = true;
        act();
      }
      return of.data;
    },
    shape: of.shape,
  };
}

function trained(): SyncLayer {
  const layer = syncLayer();
  layer.call(x, { training: true });
  return layer;
}

test("a getter that disposes the layer ends the call that looks at it", async () => {
  for (const [what, action] of [
    ["call", (layer: SyncLayer) => layer.call(acting(() => layer.dispose()))],
    ["backward", (layer: SyncLayer) => layer.backward(acting(() => layer.dispose(), dy))],
  ] as const) {
    const layer = trained();
    await expectRefusal("disposed", { action: () => action(layer), received: `"${what}"`, expected: "a layer that is in use" });
    expect(layer.fake.log).not.toContain("infer 2");
  }
});

test("a getter that disposes the layer ends setState", async () => {
  const layer = syncLayer();
  const update = {
    get parameters() {
      layer.dispose();
      return { beta: [1, 1] };
    },
  };
  await expectRefusal("disposed", { action: () => layer.setState(update), received: '"setState"', expected: "a layer that is in use" });
  expect(layer.fake.log).not.toContain("setState");
});

test("a getter that builds the layer with other channels ends the call and setState", async () => {
  const build = (layer: SyncLayer) => (): void => {
    if (layer.channels === 0) layer.call(tensor([2, 3]));
  };
  const called = syncLayer({ state: "none" });
  await expectRefusal("invalid-argument", { action: () => called.call(acting(build(called))), received: '"call"', ...changed });
  expect(called.channels).toBe(3);
  const set = syncLayer({ state: "none" });
  const state = {
    get parameters() {
      build(set)();
      return { gamma: [1, 1], beta: [0, 0] };
    },
    statistics: { movingMean: [0, 0], movingVariance: [1, 1] },
  };
  await expectRefusal("invalid-argument", { action: () => set.setState(state), received: '"setState"', ...changed });
  expect(set.channels).toBe(3);
});

test("a getter that freezes the layer ends the call", async () => {
  const layer = syncLayer();
  const action = (): unknown =>
    layer.call(
      acting(() => layer.freeze()),
      { training: true },
    );
  await expectRefusal("invalid-argument", { action, received: '"call"', ...changed });
});

test("a getter that calls the layer leaves the call to be the last one", () => {
  const layer = syncLayer();
  layer.call(
    acting(() => layer.call(tensor([1, 2]), { training: true })),
    { training: true },
  );
  expect(layer.backward(dy).dx.shape).toEqual([3, 2]);
});

test("a getter of dy that takes the pass away leaves nothing to go back through", async () => {
  for (const take of [
    (layer: SyncLayer) => layer.setState({ parameters: { gamma: [3, 3] } }),
    (layer: SyncLayer) => layer.call(x),
    (layer: SyncLayer) => layer.call(tensor([1, 2]), { training: true }),
  ]) {
    const layer = trained();
    await expectRefusal("no-forward", {
      action: () => layer.backward(acting(() => take(layer), dy)),
      received: '"no kept pass"',
      expected: "a call with training or gradient set before it",
    });
  }
});

test("a state for which there is no room is refused", async () => {
  for (const channels of [2 ** 45, 1e300]) {
    const refusal = { received: String(channels), expected: "as many channels as fit into memory" };
    await expectRefusal("runtime-failure", { action: () => initialState({}, channels), ...refusal });
  }
  const layer = syncLayer({ state: "none" });
  await expectRefusal("runtime-failure", {
    action: () => layer.call(tensor([0, 2 ** 45])),
    received: String(2 ** 45),
    expected: "as many channels as fit into memory",
  });
  expect(layer.channels).toBe(0);
});
