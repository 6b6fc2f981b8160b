import type { HalfDType, HostTensor } from "@batchnorm/spec";
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from "@batchnorm/spec/half";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CpuBackend, createBackend } from "../src/index.ts";
import { createBackend as createInferenceBackend } from "../src/inference.ts";
import { createBackend as createPlainInferenceBackend } from "../src/plain-inference.ts";
import { example, SHAPES } from "./numbers.ts";

const plain = createBackend({ kernels: "plain" });
const wasm = createBackend({ kernels: "wasm" });
const threads = createBackend({ kernels: "wasm", threads: 3 });

beforeAll(() => threads.ready);
afterAll(() => threads.terminate());

const FORMATS = [
  ["float16", toFloat16, fromFloat16],
  ["bfloat16", toBfloat16, fromBfloat16],
] as const;

type Encode = (value: number) => number;

const encoded = (values: Iterable<number>, encode: Encode): Uint16Array => Uint16Array.from(values, encode);

/** The same bits, but that one NaN is as good as another. */
function expectBits(got: ArrayLike<number>, expected: Iterable<number>, decode: (bits: number) => number): void {
  const canonical = (bits: number): number => (Number.isNaN(decode(bits)) ? -1 : bits);
  expect(Array.from(got, canonical)).toEqual(Array.from(expected, canonical));
}

/** A layer that multiplies by gamma: mean 0, variance + epsilon 1. */
const identity = (gamma: number) => ({
  parameters: { gamma: [gamma], beta: [0] },
  statistics: { movingMean: [0], movingVariance: [0.5] },
});
const CONFIG = { epsilon: 0.5, axis: 1 };

const BACKENDS = {
  "cpu/wasm": wasm,
  "cpu/plain": plain,
  "cpu/threads": threads,
  "cpu/inference": createInferenceBackend({ kernels: "wasm" }),
  "cpu/plain-inference": createPlainInferenceBackend(),
};

for (const [dtype, encode, decode] of FORMATS) {
  describe(`${dtype} on its way through float32`, () => {
    const all = Uint16Array.from({ length: 65536 }, (_, k) => k);

    for (const [name, backend] of Object.entries(BACKENDS)) {
      it(`is all 65536 numbers that it was: ${name}`, () => {
        // Three more, so that some fill no vector.
        const data = Uint16Array.from([...all, 1, 2, 0x3c01]);
        const y = backend.create(CONFIG, identity(1)).call({ data, shape: [data.length, 1], dtype });
        expect(y.dtype).toBe(dtype);
        // 0 + beta has no sign.
        expectBits(
          y.data,
          data.map((bits) => (bits === 0x8000 ? 0 : bits)),
          decode,
        );
      });

      // Of neighbours a and b, (a + b) / 2 lies between; a * (1 + 2^-11), say, anywhere.
      for (const gamma of [0.5, 0.75, 1.5, 1 + 2 ** -11, 1 + 2 ** -8, 1 - 2 ** -9, 2 ** -10, 0.3, 3, 1000]) {
        it(`rounds gamma ${gamma} times all of them, the ties to even: ${name}`, () => {
          const y = backend.create(CONFIG, identity(gamma)).call({ data: all, shape: [1, 1, all.length], dtype });
          // Rounded to float32 first, which a product of these with few digits does not need.
          const product = (bits: number): number => Math.fround(Math.fround(gamma) * decode(bits)) + 0;
          expectBits(
            y.data,
            Array.from(all, (bits) => encode(product(bits))),
            decode,
          );
        });
      }
    }
  });
}

interface Results {
  readonly y: Uint16Array;
  readonly dx: Uint16Array;
  readonly rest: readonly Float32Array[];
}

type Place = (backend: CpuBackend, data: Uint16Array, shape: readonly number[], dtype: HalfDType) => HostTensor<Uint16Array>;

const anywhere: Place = (_, data, shape, dtype) => ({ data, shape, dtype });

const inMemory: Place = (backend, data, shape, dtype) => {
  const { data: allocated } = backend.alloc(shape, dtype);
  const bits = new Uint16Array(allocated.buffer, allocated.byteOffset, allocated.length);
  bits.set(data);
  return { data: bits, shape, dtype };
};

/** A step and its gradients, of one dtype or, `place` null, of float32 with the very same numbers. */
function step(
  backend: CpuBackend,
  shape: readonly number[],
  axis: number,
  dtype: HalfDType,
  masked: boolean,
  place: Place | null,
): Results {
  const [, encode, decode] = FORMATS.find(([name]) => name === dtype)!;
  const { x, dy, mask, config, state } = example(shape, axis, { masked, offset: 1 });
  const layer = backend.create(config, state);
  const options = { training: true, mask: mask && { data: mask, shape: shape.filter((_, index) => index !== axis) } };
  const tensors = [encoded(x, encode), encoded(dy, encode)];
  if (place === null) {
    const [wideX, wideDy] = tensors.map((bits) => ({ data: Float32Array.from(bits, decode), shape }));
    const y = layer.call(wideX, options).data;
    const { dx, dgamma, dbeta } = layer.backward(wideDy);
    const { movingMean, movingVariance } = layer.state().statistics;
    return { y: encoded(y, encode), dx: encoded(dx.data, encode), rest: [dgamma!.data, dbeta!.data, movingMean, movingVariance] };
  }
  const [inX, inDy, out, outDx] = [...tensors, ...tensors.map((each) => new Uint16Array(each.length))].map((bits) =>
    place(backend, bits, shape, dtype),
  );
  const y = layer.call(inX, { ...options, out });
  const { dx, dgamma, dbeta } = layer.backward(inDy, { out: outDx });
  const { movingMean, movingVariance } = layer.state().statistics;
  const results = { y: y.data.slice(), dx: dx.data.slice(), rest: [dgamma!.data, dbeta!.data, movingMean, movingVariance] };
  for (const tensor of [inX, inDy, out, outDx]) backend.release(tensor);
  return results;
}

describe("half precision", () => {
  for (const [shape, axis, what] of SHAPES) {
    for (const [dtype, , decode] of FORMATS) {
      for (const masked of [false, true]) {
        it(`${dtype}, ${what}: [${shape.join(", ")}]${masked ? ", masked" : ""}: the bits of float32, rounded, wherever tensors lie`, () => {
          const places = [anywhere, inMemory];
          for (const backend of [wasm, plain]) {
            const expected = step(backend, shape, axis, dtype, masked, null);
            for (const place of places) expectResults(step(backend, shape, axis, dtype, masked, place), expected, decode);
          }
          const expected = step(wasm, shape, axis, dtype, masked, null);
          for (const place of places) expectResults(step(threads, shape, axis, dtype, masked, place), expected, decode);
        });
      }
    }
  }
});

function expectResults(got: Results, expected: Results, decode: (bits: number) => number): void {
  for (const name of ["y", "dx"] as const) {
    const k = expected[name].findIndex((bits, index) => bits !== got[name][index] && !Number.isNaN(decode(bits)));
    expect(k < 0 ? null : `${name}[${k}] is ${decode(got[name][k])}, expected ${decode(expected[name][k])}`).toBeNull();
  }
  expect(got.rest).toEqual(expected.rest);
}
