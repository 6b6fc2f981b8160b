import { BatchNormError, checkDataLength, type HostTensor, sizeOf, type TensorAccess } from "@batchnorm/spec";
import type { Tensor } from "onnxruntime-common";
import type { OrtRuntime } from "./runtime.ts";

/** What the contract asks about an ort.Tensor; see `TensorAccess`. One of another copy of the runtime's package is one, too. */
export const ortTensors: TensorAccess<Tensor> = {
  describe(tensor) {
    if (typeof tensor?.type !== "string" || !Array.isArray(tensor.dims) || tensor.location === "none") {
      throw new BatchNormError("invalid-argument", "A tensor is not one of the runtime, or was disposed", tensor, "an ort.Tensor");
    }
    if (isOnGpu(tensor)) checkBuffer(tensor);
    return { shape: tensor.dims, dtype: tensor.type };
  },
  // Never asked, since no device supports `out`.
  overlaps: (a, b) => a === b,
};

/**
 * The runtime's shaders read a GPU buffer in steps of 16 bytes, and get wrong numbers, silently, from one that ends within a step
 * (onnxruntime-web 1.30).
 */
function checkBuffer({ gpuBuffer, dims, type }: Tensor): void {
  const bytes = sizeOf(dims) * (type === "float32" ? 4 : 1);
  const wanted = Math.ceil(bytes / 16) * 16;
  if (gpuBuffer.size < wanted) {
    throw new BatchNormError("data-length", "The GPU buffer of a tensor is too short", gpuBuffer.size, `${wanted} bytes, a multiple of 16`);
  }
}

/**
 * A tensor in the host's memory with a copy of the data.
 *
 * @throws BatchNormError `data-length`.
 */
export function uploadTensor({ Tensor }: OrtRuntime, { data, shape }: HostTensor): Tensor {
  checkDataLength("the tensor", { shape, dtype: "", length: data.length });
  if (data instanceof Uint8Array) return new Tensor("bool", data.slice(), [...shape]);
  return new Tensor("float32", Float32Array.from(data), [...shape]);
}

/** The data of a tensor, copied. A tensor on a GPU is downloaded, and from then on lies in the host's memory, as the runtime has it. */
export async function downloadTensor(tensor: Tensor): Promise<HostTensor> {
  const data = (await tensor.getData(true)) as Float32Array | Uint8Array;
  return { data: data.slice(), shape: [...tensor.dims] };
}

/** A new float32 tensor in the host's memory, over this very array. */
export function hostTensor({ Tensor }: OrtRuntime, data: Float32Array, shape: readonly number[]): Tensor {
  return new Tensor("float32", data, shape);
}

export function zeros(ort: OrtRuntime, shape: readonly number[]): Tensor {
  return hostTensor(ort, new Float32Array(sizeOf(shape)), shape);
}

export function isOnGpu(tensor: Tensor): boolean {
  return tensor.location === "gpu-buffer";
}

/**
 * The same memory under another shape, wherever it lies, and on the host under another type of the same size. It owns nothing: the tensor
 * must outlive it.
 */
export function viewOf({ Tensor }: OrtRuntime, tensor: Tensor, shape: readonly number[], hostType: Tensor.Type = tensor.type): Tensor {
  if (!isOnGpu(tensor)) return new Tensor(hostType, tensor.data, shape);
  return Tensor.fromGpuBuffer(tensor.gpuBuffer, { dataType: tensor.type as Tensor.GpuBufferDataTypes, dims: shape });
}

/** A tensor that takes the place of another one, under another shape: whoever disposes it disposes that one. */
export function reshaped({ Tensor }: OrtRuntime, tensor: Tensor, shape: readonly number[]): Tensor {
  if (!isOnGpu(tensor)) return new Tensor(tensor.type, tensor.data, shape);
  return Tensor.fromGpuBuffer<"float32">(tensor.gpuBuffer, {
    dataType: "float32",
    dims: shape,
    download: () => tensor.getData() as Promise<Float32Array>,
    dispose: () => tensor.dispose(),
  });
}
