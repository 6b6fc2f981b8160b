import { type ChannelView, channelView, maskShape, sizeOf } from "@batchnorm/spec";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Arithmetic } from "../src/kernels/arithmetic.ts";
import { composedArithmetic } from "../src/kernels/composed/arithmetic.ts";
import { registeredArithmetic } from "../src/kernels/registered.ts";
import { startTfjs } from "./start-tfjs.ts";

// What runs on webgl and webgpu is out of tfjs's ops, which run on the cpu as well: here it is held against the loops. In
// Chromium the conformance suite holds it against the spec.
await startTfjs("wasm");
await startTfjs("cpu");
const loops = registeredArithmetic(tf);
const composed = composedArithmetic(tf);

const CASES: [shape: number[], axis: number][] = [
  [[6, 4], -1],
  [[2, 3, 4, 5], -1],
  [[2, 3, 4, 5], 1],
  [[3, 4, 1, 1], 1],
  [[4, 7], 0],
  [[2, 3, 2, 3, 2], 1],
];

const STEP = { epsilon: 1e-3, momentum: 0.9, varianceEstimator: "sample", wantsStatistics: true } as const;

/** Numbers around an offset that float32 sums of x itself would not survive. */
function draw(shape: readonly number[], seed: number, offset = 0): tf.Tensor {
  return tf.add(tf.randomNormal([...shape], 0, 1, "float32", seed), offset);
}

function expectClose(got: tf.Tensor, wanted: tf.Tensor, tolerance: number): void {
  expect(got.shape).toEqual(wanted.shape);
  const [a, b] = [got.dataSync(), wanted.dataSync()];
  for (let k = 0; k < a.length; k++) expect(Math.abs(a[k] - b[k])).toBeLessThanOrEqual(tolerance * (1 + Math.abs(b[k])));
}

function moving(channels: number): { movingMean: tf.Tensor; movingVariance: tf.Tensor } {
  return { movingMean: tf.fill([channels], 2), movingVariance: tf.fill([channels], 3) };
}

describe.each(CASES)("x %j, axis %i", (shape, axis) => {
  const view: ChannelView = channelView(shape, axis);
  const x = draw(shape, 1, 1000);
  const dy = draw(shape, 2);
  const gamma = draw([view.channels], 3);
  const places = sizeOf(maskShape(shape, axis));
  const masks = {
    "no mask": null,
    "a mask": tf.tensor(
      Uint8Array.from({ length: places }, (_, place) => (place % 3 === 0 ? 0 : 1)),
      maskShape(shape, axis),
      "bool",
    ),
    "a mask that hides everything": tf.zeros(maskShape(shape, axis), "bool"),
  };

  it.each(Object.keys(masks) as (keyof typeof masks)[])("composed training steps and gradients are those of the loops: %s", (name) => {
    const mask = masks[name];
    const run = (arithmetic: Arithmetic<tf.Tensor>) => {
      // The op that gives y takes parameters cyclically here; in Chromium it does not.
      const [, movingMean, movingVariance, mean, variance, remainder, downscale, count] = arithmetic.train(
        { x, gamma, ...(mask && { mask }), ...moving(view.channels) },
        { ...STEP, view },
      );
      const operands = { dy, x, mean, variance, remainder, downscale, gamma, count, ...(mask && { mask }) };
      const [dx, dgamma, dbeta] = arithmetic.gradients(operands, { view, epsilon: 1e-3, ofParameters: true, throughStatistics: true });
      return { movingMean, movingVariance, mean, variance, count, dx, dgamma, dbeta };
    };
    const [got, wanted] = [run(composed), run(loops)];
    // Deviations are of order 1: 1e3 * 2^-24 for x - mean, whose mean is float32, and a few roundings.
    const tolerance = 1e3 * 2 ** -24 * 8;
    expectClose(got.mean, wanted.mean, 2 ** -23);
    expectClose(got.variance, wanted.variance, 1e-5);
    expectClose(got.dx, wanted.dx, tolerance);
    for (const name of ["movingMean", "movingVariance"] as const) expectClose(got[name], wanted[name], 1e-5);
    expectClose(got.dgamma, wanted.dgamma, tolerance * places);
    expectClose(got.dbeta, wanted.dbeta, 1e-5);
    if (mask !== null) expectClose(got.count, wanted.count, 0);
  });

  it("composed gradients past moving statistics are those of the loops", () => {
    const operands = { dy, x, mean: tf.fill([view.channels], 1000), variance: tf.ones([view.channels]), gamma };
    const attributes = { view, epsilon: 1e-3, ofParameters: true, throughStatistics: false };
    const [got, wanted] = [composed, loops].map((each) => each.gradients(operands, attributes));
    expectClose(got[0], wanted[0], 1e-6);
    expectClose(got[1], wanted[1], 1e-5);
    expect(composed.gradients(operands, { ...attributes, ofParameters: false })).toHaveLength(1);
  });
});

describe("float32 sums", () => {
  // tfjs sums in float32 on wasm, as on a device; on cpu in float64.
  beforeAll(() => tf.setBackend("wasm").then(() => {}));
  afterAll(() => tf.setBackend("cpu").then(() => {}));

  it.each([false, true])("are of deviations from the data, whatever its offset; masked: %s", (masked) => {
    const n = 20_000;
    const x = draw([n, 1], 1, 1e5);
    const view = channelView([n, 1], -1);
    // What is hidden is no place to take a shift from.
    const mask = tf.tensor(
      Uint8Array.from({ length: n }, (_, row) => Math.min(row, 1)),
      [n],
      "bool",
    );
    const spoilt = tf.where(tf.reshape(mask, [n, 1]), x, 1e30);
    const run = (arithmetic: Arithmetic<tf.Tensor>) =>
      arithmetic.train({ ...(masked ? { x: spoilt, mask } : { x }), ...moving(1) }, { ...STEP, view }).slice(3);
    const [got, wanted] = [run(composed), run(loops)];
    // Sums of x itself would leave an error of n u |mean| = 1e2 in the mean.
    expect(Math.abs(got[0].dataSync()[0] - wanted[0].dataSync()[0])).toBeLessThanOrEqual(1e5 * 2 ** -23);
    expectClose(got[1], wanted[1], n * 2 ** -24);
  });
});

it("runs over nothing", () => {
  const view = channelView([0, 3], -1);
  const nothing = tf.zeros([0, 3]);
  const perChannel = tf.ones([3]);
  const operands = { x: nothing, mean: perChannel, variance: perChannel };
  const attributes = { view, epsilon: 1e-3, ofParameters: true, throughStatistics: false };
  expect(composed.normalize(operands, attributes)[0].shape).toEqual([0, 3]);
  const [dx, dgamma] = composed.gradients({ dy: nothing, ...operands }, attributes);
  expect(dx.shape).toEqual([0, 3]);
  expect([...dgamma.dataSync()]).toEqual([0, 0, 0]);
});
