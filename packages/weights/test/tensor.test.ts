import { expect, test } from "vitest";
import { type NumberType, readVector } from "../src/tensor.ts";
import { refusalOf } from "./expect-layers.ts";

function read(type: NumberType, values: ArrayBufferView): Float32Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const size = { float16: 2, bfloat16: 2, float32: 4, float64: 8 }[type];
  return readVector({ path: "v", shape: [bytes.length / size], type, typeName: type, bytes: () => bytes });
}

test("a bfloat16 is the upper half of a float32, NaN and all", () => {
  const halves = Uint16Array.of(0x3f80, 0xc000, 0x0001, 0x8000, 0x7f80, 0x7fc1);
  const widened = read("bfloat16", halves);
  expect([...new Uint32Array(widened.buffer)]).toEqual([...halves].map((half) => half * 0x10000));
});

test("a float32 keeps every bit, those of a NaN too", () => {
  const bits = Uint32Array.of(0x7fc00001, 0xffc12345, 0x80000000, 1);
  expect(new Uint32Array(read("float32", bits).buffer)).toEqual(bits);
});

test("a float64 is taken where it is a float32", async () => {
  expect(read("float64", Float64Array.of(0.5, -0, Number.NaN, Number.NEGATIVE_INFINITY))).toEqual(
    Float32Array.of(0.5, -0, Number.NaN, Number.NEGATIVE_INFINITY),
  );
  expect(await refusalOf(() => read("float64", Float64Array.of(0.5, 0.1)))).toMatchObject({ code: "unknown-dtype", received: 0.1 });
});
