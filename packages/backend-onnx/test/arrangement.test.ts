import { describe, expect, test } from "vitest";
import { arrange } from "../src/arrangement.ts";
import { deviceOf } from "../src/device.ts";

const HOST = { ...deviceOf("wasm", true), dtype: "float32" } as const;
const GPU = { ...deviceOf("webgpu", true), dtype: "float32" } as const;

describe("arrange", () => {
  test.each([
    { view: { outer: 8, channels: 64, inner: 3136 }, layout: "channels-first", shape: [8, 64, 3136] },
    { view: { outer: 1, channels: 3, inner: 7 }, layout: "channels-first", shape: [1, 3, 7] },
    // 32 rows of 64 channels are a row of 2048.
    { view: { outer: 25088, channels: 64, inner: 1 }, layout: "channels-last", shape: [784, 2048] },
    { view: { outer: 392, channels: 1280, inner: 1 }, layout: "channels-last", shape: [392, 1280] },
    { view: { outer: 49, channels: 3000, inner: 1 }, layout: "channels-last", shape: [49, 3000] },
    // Few enough rows to be one.
    { view: { outer: 3, channels: 2, inner: 1 }, layout: "channels-last", shape: [1, 6] },
    // A prime number of rows: as they are while they are long, the operator's where they are short.
    { view: { outer: 25087, channels: 64, inner: 1 }, layout: "channels-last", shape: [25087, 64] },
    { view: { outer: 25087, channels: 16, inner: 1 }, layout: "channels-first", shape: [25087, 16, 1] },
    { view: { outer: 25087, channels: 16, inner: 1 }, device: GPU, layout: "channels-last", shape: [25087, 16] },
    { view: { outer: 25088, channels: 64, inner: 1 }, device: GPU, layout: "channels-last", shape: [49, 32768] },
    { view: { outer: 25087, channels: 1, inner: 1 }, layout: "channels-first", shape: [1, 1, 25087] },
    { view: { outer: 5, channels: 1, inner: 6 }, layout: "channels-first", shape: [1, 1, 30] },
  ])("takes $view as $shape", ({ view, device = HOST, layout, shape }) => {
    const arrangement = arrange(view, device);
    expect(arrangement.layout.name).toBe(layout);
    expect(arrangement.shape).toEqual(shape);
    const count = (dimensions: readonly number[]): number => dimensions.reduce((product, dimension) => product * dimension, 1);
    expect(count(arrangement.shape)).toBe(view.outer * view.channels * view.inner);
    expect(count(arrangement.maskShape)).toBe(view.outer * view.inner);
  });
});
