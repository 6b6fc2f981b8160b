import { expect, test } from "vitest";
import { arrangeForSums } from "../src/arrangement.ts";
import { deviceOf } from "../src/device.ts";
import { blocksOf, type Stages, stagesOf } from "../src/graph/stages.ts";

const product = ({ factors }: Stages): number => factors.reduce((total, factor) => total * factor, 1);

/** Small ones, primes, powers of two and their neighbours, and what images and batches have. */
const LENGTHS = [
  ...Array.from({ length: 600 }, (_, k) => k + 1),
  ...[1024, 3136, 4093, 4096, 4099, 12_544, 16_383, 16_411, 50_176, 65_537, 150_528, 262_144, 999_983, 1_000_000, 30_000_001],
];

test("blocks cover the axis, are no longer than allowed, and pad by less than a block", () => {
  for (const length of LENGTHS) {
    const blocks = blocksOf(length, 32);
    expect([length, product(blocks) - blocks.padding]).toEqual([length, length]);
    expect(blocks.factors.length).toBe(length <= 32 ? 1 : 2);
    expect(blocks.factors.at(-1)).toBeLessThanOrEqual(32);
    expect(blocks.padding).toBeLessThan(32);
  }
});

test("stages cover the axis, and none is longer than allowed", () => {
  for (const length of LENGTHS) {
    const stages = stagesOf(length, 64);
    expect([length, product(stages) - stages.padding]).toEqual([length, length]);
    expect(Math.max(...stages.factors)).toBeLessThanOrEqual(64);
    expect(stages.factors.length).toBeLessThanOrEqual(1 + Math.ceil(Math.log(length) / Math.log(64)));
    // More than that is copied only for what is short.
    if (length > 1000) expect([length, stages.padding / length < 0.02]).toEqual([length, true]);
  }
});

test("lengths with divisors are not padded", () => {
  for (const length of [49, 64, 196, 784, 3136, 12_544, 1_000_000]) expect([length, blocksOf(length, 32).padding]).toEqual([length, 0]);
});

test.each([
  { view: { outer: 8, channels: 64, inner: 3136 }, name: "wasm", integers: { inner_stages: [8, 64, 98, 32] } },
  { view: { outer: 8, channels: 64, inner: 3136 }, name: "webgpu", integers: { inner_stages: [8, 64, 49, 64] } },
  {
    view: { outer: 2, channels: 3, inner: 37 },
    name: "wasm",
    integers: { inner_stages: [2, 3, 2, 19], inner_padding: [0, 0, 0, 0, 0, 1] },
  },
  { view: { outer: 25_088, channels: 64, inner: 1 }, name: "wasm", integers: { tile: [32], outer_stages: [28, 28, 2048] } },
  {
    view: { outer: 25_087, channels: 64, inner: 1 },
    name: "wasm",
    integers: { tile: [1], outer_stages: [784, 32, 64], outer_padding: [0, 0, 1, 0] },
  },
  { view: { outer: 25_088, channels: 64, inner: 1 }, name: "webgpu", integers: { tile: [512], tile_stages: [8, 64, 64] } },
  { view: { outer: 3, channels: 2, inner: 5 }, name: "wasm", integers: {} },
])("$view on $name is summed by $integers", ({ view, name, integers }) => {
  expect(arrangeForSums(view, { ...deviceOf(name, true), dtype: "float32" }).integers).toEqual(integers);
});
