import type { Tensor } from "onnxruntime-common";
import { describe, expect, test } from "vitest";
import { deviceOf } from "../src/device.ts";
import { isOnGpu, ortTensors, reshaped, viewOf } from "../src/tensors.ts";
import { ort } from "./ort-web.ts";

const onHost = ortTensors(ort, deviceOf("wasm", true));
const onGpu = ortTensors(ort, deviceOf("webgpu", true));

describe("a tensor on the host", () => {
  test("is uploaded as a copy, float64 as float32, bytes as bool", () => {
    const data = Float32Array.of(1, 2);
    const tensor = onHost.upload({ data, shape: [1, 2] });
    data.fill(0);
    expect(tensor.data).toEqual(Float32Array.of(1, 2));
    expect(onHost.upload({ data: Float64Array.of(0.1), shape: [1, 1] }).data).toEqual(Float32Array.of(0.1));
    expect(onHost.upload({ data: Uint8Array.of(1, 0), shape: [2] }).type).toBe("bool");
  });

  test("that its data does not fill any more is described as it is", async () => {
    const shape = [2, 3];
    const tensor = new ort.Tensor("float32", new Float32Array(6), shape);
    shape[0] = 16;
    expect(onHost.describe(tensor)).toEqual({ shape: [16, 3], dtype: "float32", length: 6 });
    const { data } = new ort.Tensor("float32", new Float32Array(6), [2, 3]);
    const given = new ort.Tensor("float32", data as Float32Array, [2, 3]);
    structuredClone(null, { transfer: [(data as Float32Array).buffer as ArrayBuffer] });
    expect(onHost.describe(given)).toMatchObject({ length: 0 });
  });

  test("has views that share its memory", () => {
    const tensor = new ort.Tensor("float32", Float32Array.of(1, 2), [2]);
    expect(viewOf(ort, tensor, [1, 2]).data).toBe(tensor.data);
    expect(reshaped(ort, tensor, [2, 1])).toMatchObject({ dims: [2, 1], data: tensor.data });
  });
});

describe("a tensor on a GPU", () => {
  /** As the runtime makes them; no GPU is needed to pass one around. */
  function gpuTensor(dims: readonly number[], bytes: number): { tensor: Tensor; disposed: () => number } {
    let count = 0;
    const tensor = ort.Tensor.fromGpuBuffer({ size: bytes, mapState: "unmapped" } as never, {
      dataType: "float32",
      dims,
      download: async () => new Float32Array(dims.reduce((product, dimension) => product * dimension, 1)).fill(7) as never,
      dispose: () => {
        count++;
      },
    }) as Tensor;
    return { tensor, disposed: () => count };
  }

  test("is described, if its buffer reaches to the end of a step of 16 bytes", () => {
    expect(onGpu.describe(gpuTensor([3, 2], 32).tensor)).toEqual({ shape: [3, 2], dtype: "float32", length: 6 });
    const short = expect.objectContaining({ code: "data-length", message: expect.stringContaining("received 24, expected 32 bytes") });
    expect(() => onGpu.describe(gpuTensor([3, 2], 24).tensor)).toThrow(short);
  });

  test("has views that own nothing", () => {
    const { tensor, disposed } = gpuTensor([3, 2], 32);
    const view = viewOf(ort, tensor, [6]);
    expect(isOnGpu(view) && view.gpuBuffer === tensor.gpuBuffer).toBe(true);
    view.dispose();
    expect(disposed()).toBe(0);
  });

  test("is reshaped into one that owns it", async () => {
    const { tensor, disposed } = gpuTensor([3, 2], 32);
    const other = reshaped(ort, tensor, [6]);
    expect(isOnGpu(other) && other.gpuBuffer === tensor.gpuBuffer).toBe(true);
    expect(await other.getData()).toEqual(new Float32Array(6).fill(7));
    other.dispose();
    expect(disposed()).toBe(1);
  });
});
