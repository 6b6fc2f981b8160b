import type { HostTensor } from "@batchnorm/spec";
import { fromBfloat16, fromFloat16, type HalfData, type HalfDType, toBfloat16, toFloat16 } from "@batchnorm/spec/half";
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
function expectBits(got: ArrayLike<number>, expected: Uint16Array, decode: (bits: number) => number): void {
  const k = expected.findIndex((bits, index) => bits !== got[index] && !(Number.isNaN(decode(bits)) && Number.isNaN(decode(got[index]))));
  expect(k < 0 ? null : `element ${k} is ${got[k]}, expected ${expected[k]}`).toBeNull();
  expect(got.length).toBe(expected.length);
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
    }

    // Of neighbours a and b, (a + b) / 2 lies between: half of an odd number is a tie, and so are many of the other products.
    for (const gamma of [0.5, 0.75, 1 + 2 ** -11, 1 - 2 ** -9, 2 ** -10, 0.3, 1000]) {
      it(`is rounded to nearest, ties to even: gamma ${gamma} times all of them`, () => {
        // In float32 first: that changes no product of numbers with so few digits.
        const products = Uint16Array.from(all, (bits) => encode(Math.fround(Math.fround(gamma) * decode(bits)) + 0));
        for (const backend of [wasm, plain]) {
          const y = backend.create(CONFIG, identity(gamma)).call({ data: all, shape: [1, 1, all.length], dtype });
          expectBits(y.data, products, decode);
        }
      });
    }
  });
}

interface Results {
  readonly y: Uint16Array;
  readonly dx: Uint16Array;
  readonly rest: readonly Float32Array[];
}

/** Where a tensor lies; of x, dy, y and dx the `index`-th. */
type Place = (backend: CpuBackend, data: Uint16Array, shape: readonly number[], dtype: HalfDType, index: number) => HostTensor<Uint16Array>;

const anywhere: Place = (_, data, shape, dtype) => ({ data, shape, dtype });

const inMemory: Place = (backend, data, shape, dtype) => {
  const { data: allocated } = backend.alloc(shape, dtype);
  const bits = new Uint16Array(allocated.buffer, allocated.byteOffset, allocated.length);
  bits.set(data);
  return { data: bits, shape, dtype };
};

/** One of the four in kernel memory, the others where they begin in the middle of a word. */
const mixed =
  (inside: number): Place =>
  (backend, data, shape, dtype, index) => {
    if (index === inside) return inMemory(backend, data, shape, dtype, index);
    const apart = new Uint16Array(data.length + 3).subarray(3);
    apart.set(data);
    return { data: apart, shape, dtype };
  };

/** A step and its gradients, of one dtype or, `place` null, of float32 with the very same numbers. */
function step(
  backend: CpuBackend,
  shape: readonly number[],
  axis: number,
  dtype: HalfDType,
  masked: boolean,
  place: Place | null,
  gamma?: (channel: number) => number,
): Results {
  const [, encode, decode] = FORMATS.find(([name]) => name === dtype)!;
  const { x, dy, mask, config, state } = example(shape, axis, { masked, offset: 1 });
  if (gamma) state.parameters.gamma.set(state.parameters.gamma.map((_, channel) => gamma(channel)));
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
  const [inX, inDy, out, outDx] = [...tensors, ...tensors.map((each) => new Uint16Array(each.length))].map((bits, index) =>
    place(backend, bits, shape, dtype, index),
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

describe("half precision in unusual places", () => {
  for (const [shape, axis] of [
    [[301, 65], 1],
    [[7, 5000], 1],
    [[5, 65, 61], 1],
    [[3, 2, 9001], 1],
  ] as const) {
    for (const [dtype, , decode] of FORMATS) {
      it(`${dtype}: one tensor in kernel memory and three elsewhere show in no bit: [${shape.join(", ")}]`, () => {
        const expected = step(wasm, shape, axis, dtype, true, null);
        for (const inside of [0, 1, 2, 3]) expectResults(step(wasm, shape, axis, dtype, true, mixed(inside)), expected, decode);
      });

      it(`${dtype}: channels that float32 arithmetic cannot hold are those of float32, rounded: [${shape.join(", ")}]`, () => {
        // A factor below the normal numbers in every third channel.
        const gamma = (channel: number): number => (channel % 3 === 1 ? 1e-39 : 1 + channel / 8);
        for (const masked of [false, true]) {
          const expected = step(wasm, shape, axis, dtype, masked, null, gamma);
          for (const place of [anywhere, inMemory]) {
            expectResults(step(wasm, shape, axis, dtype, masked, place, gamma), expected, decode);
          }
        }
      });
    }
  }
});

function expectResults(got: Results, expected: Results, decode: (bits: number) => number): void {
  expectBits(got.y, expected.y, decode);
  expectBits(got.dx, expected.dx, decode);
  expect(got.rest).toEqual(expected.rest);
}

describe("tensors of half precision", () => {
  const shape = [40, 30];
  const { Float16Array } = globalThis as { Float16Array?: new (length: number) => Float16 };
  type Float16 = HalfData & { [index: number]: number };

  it("come from alloc, and others are refused", () => {
    const bits = wasm.alloc(shape, "bfloat16");
    expect(bits).toMatchObject({ shape, dtype: "bfloat16", data: new Uint16Array(1200) });
    const { data, dtype } = wasm.alloc(shape, "float16");
    expect([dtype, data.length, data.byteLength]).toEqual(["float16", 1200, 2400]);
    expect(data.constructor.name).toBe(Float16Array === undefined ? "Uint16Array" : "Float16Array");
    expect(() => wasm.alloc(shape, "float64" as never)).toThrow(expect.objectContaining({ code: "unknown-dtype" }));
  });

  it("give back their memory, which is zero for the next", () => {
    const backend = createBackend({ kernels: "wasm" });
    const first = backend.alloc([1000, 1], "float16");
    const address = first.data.byteOffset;
    new Uint16Array(first.data.buffer, address, 1000).fill(7);
    backend.release(first);
    const next = backend.alloc([1000, 1], "bfloat16");
    expect(next.data.byteOffset).toBe(address);
    expect(next.data.every((bits) => bits === 0)).toBe(true);
  });

  it.skipIf(Float16Array === undefined)("are what they were: Float16Array in, Float16Array out", () => {
    const data = new Float16Array!(1200);
    for (let k = 0; k < 1200; k++) data[k] = Math.sin(k);
    const x = { data, shape };
    const bits = new Uint16Array(data.buffer);
    for (const backend of [wasm, plain]) {
      const layer = backend.create();
      const y = layer.call(x, { training: true });
      const { dx } = layer.backward(x);
      expect([y.data, dx.data].every((each) => each instanceof (Float16Array as never))).toBe(true);
      expect(y.dtype).toBe("float16");
      const ofBits = backend.create().call({ data: bits, shape, dtype: "float16" }, { training: true });
      expect(ofBits.data).toBeInstanceOf(Uint16Array);
      expect(new Uint16Array(y.data.buffer)).toEqual(ofBits.data);
    }
  });

  for (const [dtype, encode] of FORMATS) {
    it(`are looked through for what is not finite: ${dtype}`, () => {
      for (const backend of [wasm, plain]) {
        for (const [value, at] of [
          [Number.NaN, 0],
          [Number.POSITIVE_INFINITY, 9007],
          [Number.NEGATIVE_INFINITY, 9999],
        ] as const) {
          const data = Uint16Array.from({ length: 10_000 }, () => encode(65000));
          data[at] = encode(value);
          const layer = backend.create({ axis: 0, nonFinite: "reject" });
          const call = () => layer.call({ data, shape: [10, 1000], dtype });
          expect(call).toThrow(expect.objectContaining({ code: "non-finite", message: expect.stringContaining(String(value)) }));
          data[at] = 0;
          expect(call).not.toThrow();
        }
      }
    });
  }
});
