import { describe, expect, test } from "vitest";
import { channelView, elementsPerChannel, maskShape, resolveAxis, sameShape, sizeOf } from "../src/index.ts";

describe("channelView", () => {
  test.for<[number[], number, number, number, number]>([
    [[5, 3], -1, 5, 3, 1],
    [[5, 3], 0, 1, 5, 3],
    [[2, 3, 4, 5], -1, 24, 5, 1],
    [[2, 3, 4, 5], 1, 2, 3, 20],
    [[2, 3, 4, 5], -3, 2, 3, 20],
    [[2, 3, 4, 5], 2, 6, 4, 5],
    [[2, 3, 4, 5, 6, 7], 3, 24, 5, 42],
    [[0, 3], 1, 0, 3, 1],
    [[2, 3, 0], 1, 2, 3, 0],
    [[2, 0, 4], 1, 2, 0, 4],
  ])("of %o on axis %i is [%i, %i, %i]", ([shape, axis, outer, channels, inner]) => {
    expect(channelView(shape, axis)).toEqual({ outer, channels, inner });
  });

  test("(o, c, i) lies at (o * channels + c) * inner + i of the row-major data", () => {
    const [batch, height, width, depth] = [2, 3, 4, 5];
    for (const axis of [0, 1, 2, 3]) {
      const view = channelView([batch, height, width, depth], axis);
      const seen = new Map<number, number>();
      let offset = 0;
      for (let b = 0; b < batch; b++)
        for (let h = 0; h < height; h++)
          for (let w = 0; w < width; w++) for (let d = 0; d < depth; d++) seen.set(offset++, [b, h, w, d][axis]);
      for (let o = 0; o < view.outer; o++)
        for (let c = 0; c < view.channels; c++)
          for (let i = 0; i < view.inner; i++) expect(seen.get((o * view.channels + c) * view.inner + i)).toBe(c);
      expect(view.outer * view.channels * view.inner).toBe(offset);
    }
  });

  test("elementsPerChannel is the n of a mean", () => {
    expect(elementsPerChannel(channelView([2, 3, 4], 1))).toBe(8);
    expect(elementsPerChannel(channelView([0, 3], 1))).toBe(0);
  });

  test("refuses a hole in the shape", () => {
    expect(() => channelView(new Array(2), 0)).toThrow("The shape has a wrong dimension");
  });
});

test("resolveAxis counts from the front", () => {
  expect([-3, -2, -1, 0, 1, 2].map((axis) => resolveAxis(axis, 3))).toEqual([0, 1, 2, 0, 1, 2]);
});

test("maskShape is the shape without the channel axis", () => {
  expect(maskShape([2, 3, 4], 1)).toEqual([2, 4]);
  expect(maskShape([2, 3, 4], -1)).toEqual([2, 3]);
  expect(maskShape([2, 2, 2], 0)).toEqual([2, 2]);
});

test("sizeOf multiplies, and of nothing is one", () => {
  expect(sizeOf([2, 3, 4])).toBe(24);
  expect(sizeOf([])).toBe(1);
  expect(sizeOf([2, 0])).toBe(0);
});

test("sameShape compares rank and every dimension", () => {
  expect(sameShape([2, 3], [2, 3])).toBe(true);
  expect(sameShape([2, 3], [3, 2])).toBe(false);
  expect(sameShape([2, 3], [2, 3, 1])).toBe(false);
  expect(sameShape([2, 3, 1], [2, 3])).toBe(false);
});
