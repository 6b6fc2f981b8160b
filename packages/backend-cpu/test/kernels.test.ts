import { createKernels, Normalizer } from "@batchnorm/backend-cpu/kernels";
import { channelView, maskShape } from "@batchnorm/spec";
import { describe, expect, it } from "vitest";
import { createBackend } from "../src/index.ts";
import { expectErrorCode } from "./expect-error-code.ts";
import { example, runExample, SHAPES } from "./numbers.ts";

const kernels = createKernels();
const backend = createBackend();

/** Arrays as a foreign heap has them: in the middle of a larger buffer, none on a cache line. */
function elsewhere<Data extends Float32Array | Uint8Array>(data: Data): Data {
  const buffer = new ArrayBuffer(data.byteLength + 104);
  const at = data instanceof Float32Array ? new Float32Array(buffer, 68, data.length) : new Uint8Array(buffer, 67, data.length);
  at.set(data);
  return at as Data;
}

describe("the kernels as functions", () => {
  for (const [shape, axis, what] of SHAPES) {
    for (const masked of [false, true]) {
      it(`give what a layer gives on ${what}: [${shape.join(", ")}], axis ${axis}${masked ? ", masked" : ""}`, () => {
        const given = example(shape, axis, { masked });
        const view = channelView(shape, axis);
        const { gamma, beta } = given.state.parameters;
        const [x, dy] = [elsewhere(given.x), elsewhere(given.dy)];
        const mask = given.mask && elsewhere(given.mask);
        expect(maskShape(shape, axis).reduce((a, b) => a * b, 1)).toBe(view.outer * view.inner);
        const [y, dx] = [elsewhere(new Float32Array(x.length)), elsewhere(new Float32Array(x.length))];
        const float64 = (): Float64Array => new Float64Array(view.channels);
        const normalizer = new Normalizer(view.channels);
        const [variance, dgamma, dbeta] = [float64(), float64(), float64()];
        const n = kernels.moments(x, view, mask, normalizer.mean, variance);
        if (n > 0) {
          normalizer.set(normalizer.mean, variance, 1e-3, gamma, beta);
        } else {
          normalizer.set(given.state.statistics.movingMean, given.state.statistics.movingVariance, 1e-3, gamma, beta);
        }
        kernels.normalize(x, y, view, normalizer);
        kernels.parameterGradients(dy, x, view, normalizer, dgamma, dbeta);
        kernels.inputGradient(dy, x, dx, view, normalizer, n > 0 ? { n, mask } : null, dgamma, dbeta);
        const expected = runExample(backend, given, true);
        expect(y).toEqual(expected.y);
        expect(dx).toEqual(expected.dx);
        expect(Float32Array.from(dgamma)).toEqual(expected.dgamma);
        expect(Float32Array.from(dbeta)).toEqual(expected.dbeta);
      });
    }
  }

  it("work in place: y may be x, dx may be dy", () => {
    for (const [shape, axis] of SHAPES) {
      const given = example(shape, axis);
      const view = channelView(shape, axis);
      const normalizer = new Normalizer(view.channels);
      const { statistics, parameters } = given.state;
      normalizer.set(statistics.movingMean, statistics.movingVariance, 1e-3, parameters.gamma, parameters.beta);
      const y = new Float32Array(given.x.length);
      kernels.normalize(given.x, y, view, normalizer);
      const x = given.x.slice();
      kernels.normalize(x, x, view, normalizer);
      expect(x).toEqual(y);
      const [dgamma, dbeta] = [new Float64Array(view.channels).fill(2), new Float64Array(view.channels).fill(3)];
      for (const batch of [null, { n: view.outer * view.inner, mask: null }]) {
        const dx = new Float32Array(x.length);
        kernels.inputGradient(given.dy, given.x, dx, view, normalizer, batch, dgamma, dbeta);
        const dy = given.dy.slice();
        kernels.inputGradient(dy, given.x, dy, view, normalizer, batch, dgamma, dbeta);
        expect(dy).toEqual(dx);
      }
    }
  });

  it("take the statistics as float32, too, and a missing gamma and beta as 1 and 0", () => {
    const view = { outer: 2, channels: 2, inner: 1 };
    const normalizer = new Normalizer(2);
    normalizer.set(Float32Array.of(1, 2), Float32Array.of(3, 8), 1, null, null);
    const y = new Float32Array(4);
    kernels.normalize(Float32Array.of(3, 5, 1, 2), y, view, normalizer);
    expect([...y]).toEqual([1, 1, 0, 0]);
  });

  it("find the first element that is no finite number, small and large", () => {
    for (const rows of [4, 40_000]) {
      const x = new Float32Array(rows * 3);
      const view = { outer: rows, channels: 3, inner: 1 };
      expect(kernels.findNonFinite(x, view)).toBeNull();
      x[3 * rows - 2] = Number.NEGATIVE_INFINITY;
      expect(kernels.findNonFinite(x, view)).toEqual({ channel: 1, value: Number.NEGATIVE_INFINITY });
    }
  });

  it("refuse arrays that do not fill their view, and other options", () => {
    const view = { outer: 2, channels: 2, inner: 1 };
    const normalizer = new Normalizer(2);
    const [four, three, two] = [new Float32Array(4), new Float32Array(3), new Float64Array(2)];
    const batch = { n: 4, mask: null };
    const wrong: (() => unknown)[] = [
      () => kernels.normalize(three, four, view, normalizer),
      () => kernels.normalize(four, three, view, normalizer),
      () => kernels.moments(three, view, null, two, two),
      () => kernels.moments(four, view, new Uint8Array(1), two, two),
      () => kernels.parameterGradients(three, four, view, normalizer, two, two),
      () => kernels.parameterGradients(four, three, view, normalizer, two, two),
      () => kernels.inputGradient(three, four, four, view, normalizer, batch, two, two),
      () => kernels.inputGradient(four, three, four, view, normalizer, batch, two, two),
      () => kernels.inputGradient(four, four, three, view, normalizer, batch, two, two),
      () => kernels.inputGradient(four, four, four, view, normalizer, { n: 4, mask: new Uint8Array(3) }, two, two),
    ];
    for (const each of wrong) expectErrorCode(each, "data-length");
    for (const options of [{ threads: 2 }, { kernel: "plain" }, { kernels: "simd" }, null]) {
      expectErrorCode(() => createKernels(options as never), "invalid-argument");
    }
  });
});
