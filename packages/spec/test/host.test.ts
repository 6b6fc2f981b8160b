import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { type HalfTensor, halfTensorLike } from "../src/half.ts";
import { type FloatTensor, type HostTensor, hostTensors, isBatchNormError } from "../src/index.ts";

test("arrays of another realm become arrays of this one", () => {
  const x = hostTensors.upload({ data: runInNewContext("Float64Array.of(1, 2)") as Float64Array, shape: [1, 2] });
  const mask = hostTensors.upload({ data: runInNewContext("Uint8Array.of(255, 0)") as Uint8Array, shape: [2] });
  expect(x).toEqual({ data: Float32Array.of(1, 2), shape: [1, 2] });
  expect(mask).toEqual({ data: Uint8Array.of(255, 0), shape: [2] });
  expect(hostTensors.describe(mask).dtype).toBe("bool");
});

test("what is uploaded and downloaded are copies", () => {
  const data = Float32Array.of(1, 2);
  const tensor = hostTensors.upload({ data, shape: [1, 2] });
  data.fill(9);
  const read = hostTensors.download(tensor as never);
  expect(read.data).toEqual(Float32Array.of(1, 2));
  read.data.fill(9);
  expect(tensor.data).toEqual(Float32Array.of(1, 2));
});

describe("half precision", () => {
  const view = { outer: 2, channels: 2, inner: 1 };
  const bits = (dtype: "float16" | "bfloat16", ...values: number[]): HalfTensor => ({
    data: Uint16Array.from(values),
    shape: [values.length / 2, 2],
    dtype,
  });

  test.each(["float16", "bfloat16"] as const)("bits with the dtype %s are that", (dtype) => {
    const x = bits(dtype, 0x3c00, 0);
    expect(hostTensors.describe(x as HostTensor as FloatTensor)).toEqual({ shape: [1, 2], dtype, length: 2 });
    const uploaded = hostTensors.upload(x);
    expect(uploaded).toEqual(x);
    expect(uploaded.data).not.toBe(x.data);
    expect(hostTensors.download(uploaded as FloatTensor)).toEqual(x);
  });

  test("bits of another realm become an array of this one", () => {
    const data = runInNewContext("Uint16Array.of(15360, 0)") as Uint16Array;
    const { data: copy } = hostTensors.upload({ data, shape: [1, 2], dtype: "float16" }) as HostTensor;
    expect(copy).toBeInstanceOf(Uint16Array);
    expect([...copy]).toEqual([15360, 0]);
  });

  test.each([
    [{ data: new Uint16Array(2), shape: [1, 2] }, "A Uint16Array does not say what its bits are: received undefined"],
    [{ data: new Uint16Array(2), shape: [1, 2], dtype: "half" }, 'A Uint16Array does not say what its bits are: received "half"'],
    [{ data: new Float32Array(2), shape: [1, 2], dtype: "float16" }, 'A Float32Array does not hold such a dtype: received "float16"'],
  ])("%o is refused", (tensor, message) => {
    const action = (): unknown => hostTensors.describe(tensor as never);
    expect(action).toThrow(message);
    expect(action).toThrow(expect.toSatisfy((error) => isBatchNormError(error) && error.code === "unknown-dtype"));
  });

  test("another word beside a Float32Array was never read", () => {
    expect(hostTensors.describe({ data: new Float32Array(2), shape: [1, 2], dtype: "<f4" } as never).dtype).toBe("float32");
  });

  test.each([
    ["float16", 0x7bff, 0xfc00],
    ["bfloat16", 0x7c00, 0xff80],
  ] as const)("an infinity is found in %s, and the largest number is none", (dtype, largest, infinity) => {
    const find = (tensor: HalfTensor): unknown => hostTensors.findNonFinite(tensor as HostTensor as FloatTensor, view);
    expect(find(bits(dtype, largest, 0, largest, 0))).toBeNull();
    expect(find(bits(dtype, largest, 0, 0, infinity))).toEqual({ channel: 1, value: Number.NEGATIVE_INFINITY });
  });

  test("a tensor like another is zeros in its kind of array", () => {
    const x = bits("bfloat16", 1, 2, 3, 4);
    expect(halfTensorLike(x, [1, 2])).toEqual(bits("bfloat16", 0, 0));
  });

  const { Float16Array } = globalThis as unknown as { readonly Float16Array?: { of(...values: number[]): Uint16Array } };
  describe.skipIf(Float16Array === undefined)("in a Float16Array, which this runtime may lack", () => {
    const half = (...values: number[]): Uint16Array => Float16Array!.of(...values);

    test("is float16, says so or not, and stays such an array", () => {
      for (const dtype of [undefined, "float16"] as const) {
        const x = { data: half(1.5, -2), shape: [1, 2], dtype };
        expect(hostTensors.describe(x as HostTensor as FloatTensor)).toEqual({ shape: [1, 2], dtype: "float16", length: 2 });
        expect(hostTensors.upload(x)).toEqual({ ...x, dtype: "float16" });
      }
    });

    test("is not bfloat16", () => {
      const x = { data: half(1, 2), shape: [1, 2], dtype: "bfloat16" } as const;
      expect(() => hostTensors.describe(x as HostTensor as FloatTensor)).toThrow(
        'A Float16Array does not hold such a dtype: received "bfloat16"',
      );
    });

    test("has its infinities found", () => {
      const x = { data: half(1, 2, 70000, 3), shape: [2, 2] };
      expect(hostTensors.findNonFinite(x as HostTensor as FloatTensor, view)).toEqual({ channel: 0, value: Number.POSITIVE_INFINITY });
    });
  });
});
