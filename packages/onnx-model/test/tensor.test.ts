import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ElementType, type ElementTypeName, type TensorProto, TensorProtoSchema } from "../src/proto/index.ts";
import { readTensor } from "../src/tensor/read-tensor.ts";
import { floatTensor } from "../src/tensor/write-tensor.ts";

describe("readTensor", () => {
  const raw = (type: ElementTypeName, array: ArrayBufferView): TensorProto =>
    create(TensorProtoSchema, { dims: [2n], dataType: ElementType[type], rawData: new Uint8Array(array.buffer as ArrayBuffer) });
  test.each<[ElementTypeName, ArrayBufferView, number[]]>([
    ["float32", Float32Array.of(0.1, -2), [Math.fround(0.1), -2]],
    ["float64", Float64Array.of(0.1, -2), [0.1, -2]],
    ["float16", Uint16Array.of(0x3c00, 0xfc00), [1, -Infinity]],
    ["bfloat16", Uint16Array.of(0x3f80, 0xc000), [1, -2]],
    ["int8", Int8Array.of(-1, 5), [-1, 5]],
    ["uint8", Uint8Array.of(255, 5), [255, 5]],
    ["bool", Uint8Array.of(1, 0), [1, 0]],
    ["int16", Int16Array.of(-300, 5), [-300, 5]],
    ["uint16", Uint16Array.of(65535, 5), [65535, 5]],
    ["int32", Int32Array.of(-70000, 5), [-70000, 5]],
    ["uint32", Uint32Array.of(4294967295, 5), [4294967295, 5]],
    ["int64", BigInt64Array.of(-(2n ** 40n), 5n), [-(2 ** 40), 5]],
    ["uint64", BigUint64Array.of(2n ** 40n, 5n), [2 ** 40, 5]],
  ])("%s as raw data, at any offset", (type, array, expected) => {
    const tensor = raw(type, array);
    expect([...readTensor(tensor).values]).toEqual(expected);
    for (const shift of [1, 3]) {
      const moved = new Uint8Array(tensor.rawData.length + 8);
      moved.set(tensor.rawData, shift);
      const shifted = Buffer.from(moved.buffer).subarray(shift, shift + tensor.rawData.length);
      expect([...readTensor({ ...tensor, rawData: shifted }).values]).toEqual(expected);
    }
  });

  test.each<[ElementTypeName, Partial<TensorProto>, number[]]>([
    ["float32", { floatData: [1.5, -2] }, [1.5, -2]],
    ["float64", { doubleData: [0.1, -2] }, [0.1, -2]],
    ["float16", { int32Data: [0x3c00, 0xfc00] }, [1, -Infinity]],
    ["bfloat16", { int32Data: [0x3f80, 0xc000] }, [1, -2]],
    ["int8", { int32Data: [-1, 5] }, [-1, 5]],
    ["int64", { int64Data: [-(2n ** 40n), 5n] }, [-(2 ** 40), 5]],
    ["uint32", { uint64Data: [4294967295n, 5n] }, [4294967295, 5]],
  ])("%s as a list", (type, data, expected) => {
    const tensor = create(TensorProtoSchema, { dims: [2n], dataType: ElementType[type] });
    expect([...readTensor(Object.assign(tensor, data)).values]).toEqual(expected);
  });

  test("a float32 keeps its bits, and is a copy", () => {
    const patterns = Uint32Array.of(0x7fc12345, 0xffc00001, 0x80000000, 0x00000001);
    const tensor = { ...floatTensor("t", "float32", [4], new Float32Array(patterns.slice().buffer)), dims: [4n] };
    const { values } = readTensor(tensor);
    expect([...new Uint32Array(values.slice().buffer)]).toEqual([...patterns]);
    values.fill(0);
    expect(new Uint32Array(tensor.rawData.slice().buffer)).toEqual(patterns);
  });

  test.each([
    ["text", ElementType.string],
    ["complex numbers", 14],
    ["4 bits", 22],
    ["a type that is newer", 77],
  ])("%s is refused", (_, dataType) => {
    const tensor = create(TensorProtoSchema, { dims: [0n], dataType });
    expect(() => readTensor(tensor)).toThrow(expect.objectContaining({ code: "invalid-file" }));
  });
});
