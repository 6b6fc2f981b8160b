import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { hostTensors } from "../src/index.ts";

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
