import { createBackend as createCpuBackend } from "@batchnorm/backend-cpu";
import { type Case, caseBounds, compare } from "@batchnorm/conformance";
import { DEFAULT_CONFIG, type HostTensor, maskShape } from "@batchnorm/spec";
import { expect, test } from "vitest";
import { createBackend } from "../src/index.ts";
import { ort } from "./ort-web.ts";

// The suite's tensors are so small that their rows all fit into one: here are more of them, and long ones.
const SHAPES = [
  { shape: [100, 64], axis: -1, is: "4 rows of 25" },
  { shape: [3, 97, 64], axis: -1, is: "97 rows of 3" },
  { shape: [101, 64], axis: -1, is: "101 rows" },
  { shape: [101, 7], axis: -1, is: "the operator's, with an inner of 1" },
  { shape: [2, 3000], axis: -1, is: "2 rows, each too long" },
  { shape: [5000, 1], axis: -1, is: "one channel" },
  { shape: [3, 5, 500], axis: 1, is: "channels first" },
];

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, dimension) => product * dimension, 1);

/** Numbers without a pattern that a sum could profit from, around an offset. */
const noise = (length: number, seed: number): Float32Array => Float32Array.from({ length }, (_, k) => 3 + Math.sin(k * 12.9898 + seed) * 2);

for (const masked of [false, true]) {
  test.each(SHAPES)(`$shape, axis $axis, ${masked ? "masked" : "unmasked"}: $is`, async ({ shape, axis }) => {
    const config = { ...DEFAULT_CONFIG, axis };
    const channels = shape.at(axis) as number;
    const state = {
      parameters: { gamma: noise(channels, 1), beta: noise(channels, 2) },
      statistics: { movingMean: noise(channels, 3), movingVariance: noise(channels, 4) },
    };
    const [x, dy] = [noise(sizeOf(shape), 5), noise(sizeOf(shape), 6)];
    const mask = masked ? Uint8Array.from({ length: sizeOf(shape) / channels }, (_, k) => (k % 3 === 1 ? 0 : 1)) : null;

    // The truth, up to a rounding: that backend computes in float64.
    const exact = createCpuBackend().create(config, state);
    const tensor = (data: Float32Array): HostTensor & { data: Float32Array } => ({ data, shape });
    const hidden = mask && { data: mask, shape: maskShape(shape, axis) };
    const y = exact.call(tensor(x), { training: true, mask: hidden });
    const gradients = exact.backward(tensor(dy));
    const batch = createCpuBackend().create({ ...config, momentum: 0 }, state);
    batch.call(tensor(x), { training: true, mask: hidden });
    const { movingMean: mean, movingVariance: variance } = batch.state().statistics;
    const { statistics } = exact.state();
    const truth = {
      y: Float64Array.from(y.data),
      movingMean: Float64Array.from(statistics.movingMean),
      movingVariance: Float64Array.from(statistics.movingVariance),
      dx: Float64Array.from(gradients.dx.data),
      dgamma: Float64Array.from(gradients.dgamma?.data ?? []),
      dbeta: Float64Array.from(gradients.dbeta?.data ?? []),
    };
    const moments = { mean: Float64Array.from(mean), variance: Float64Array.from(variance) };
    const step = { training: true, trainable: true, parameters: null, shape, x, mask, dy, truth, batch: moments, results: {} };
    const each: Case = { id: "rows", clause: "6.1", flags: [], reference: null, config, state, steps: [step] };

    const backend = await createBackend({ ort });
    const layer = backend.create(config, state);
    const output = await layer.call(backend.upload(tensor(x)), { training: true, mask: hidden && backend.upload(hidden) });
    const { dx, dgamma, dbeta } = await layer.backward(backend.upload(tensor(dy)));
    const got = { y: output.data, ...(await layer.state()).statistics, dx: dx.data, dgamma: dgamma?.data, dbeta: dbeta?.data };
    const [bounds] = caseBounds(each, backend.supports);
    for (const name of ["y", "movingMean", "movingVariance", "dx", "dgamma", "dbeta"] as const) {
      const { misses } = compare(name, 0, got[name] as Float32Array, truth[name], bounds[name] as Float64Array);
      expect(misses.slice(0, 3), name).toEqual([]);
    }
    expect(output.dims).toEqual(shape);
    await layer.dispose();
  });
}
