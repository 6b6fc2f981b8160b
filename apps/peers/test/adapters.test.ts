import { expect, test } from "vitest";
import { GRADIENT, judgeSome, PLAIN } from "./judge-some.ts";

test.each(["tfjs-layers/cpu", "tfjs-layers/wasm", "tfjs-batchNorm/cpu", "tfjs-batchNorm/wasm", "deepbox", "jax-js/wasm"])(
  "%s is right on plain layers: its adapter is in order",
  async (name) => {
    const ids = [...PLAIN, GRADIENT];
    expect(await judgeSome(name, ids)).toEqual(Object.fromEntries(ids.map((id) => [id, "passed"])));
  },
);

test("a frozen layer of tfjs that learns is found", async () => {
  const found = await judgeSome("tfjs-layers/cpu", ["modes/training-frozen-rank2-axis-1-6x3", "contract/frozen-from-the-start"]);
  expect(found["modes/training-frozen-rank2-axis-1-6x3"]).toContain("movingMean was changed by the step");
  expect(found["contract/frozen-from-the-start"]).toContain("does not normalize as inference does");
});

test("an offset that costs nn.standardize of jax-js its digits is found", async () => {
  const { "stability/trap-rank2-axis-1-3x1": trap } = await judgeSome("jax-js/wasm", ["stability/trap-rank2-axis-1-3x1"]);
  expect(trap).toContain("times the bound");
});

test("what a peer does not claim is not judged", async () => {
  expect(await judgeSome("deepbox", ["mask/random-rank3-axis-1-4x5x3"])).toEqual({
    "mask/random-rank3-axis-1-4x5x3": "masks are not supported",
  });
});
