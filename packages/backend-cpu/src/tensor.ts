import { BatchNormError, type HostTensor, type TensorAccess } from "@batchnorm/spec";

/**
 * A tensor of this backend: a typed array, row major, and its shape. x, y, dy and dx are Float32Array; a mask is a
 * Uint8Array of 0 and 1.
 */
export interface CpuTensor {
  readonly data: Float32Array | Uint8Array;
  readonly shape: readonly number[];
}

/** A CpuTensor that the contract has found to be float32. */
export interface Float32Tensor extends CpuTensor {
  readonly data: Float32Array;
}

const DTYPES = new Map<unknown, string>([
  [Float32Array, "float32"],
  [Float64Array, "float64"],
  [Uint8Array, "bool"],
]);

/** What the contract asks about a tensor; see `TensorAccess`. */
export const cpuTensors: TensorAccess<CpuTensor> = {
  describe(tensor) {
    const data: ArrayLike<number> | undefined = tensor?.data;
    if (!ArrayBuffer.isView(data)) {
      throw new BatchNormError(
        "invalid-argument",
        "A tensor is not made of a typed array and a shape",
        tensor,
        "{ data: Float32Array, shape: [...] }",
      );
    }
    return { shape: tensor.shape, dtype: DTYPES.get(data.constructor) ?? data.constructor.name, length: tensor.data.length };
  },
  overlaps({ data: a }, { data: b }) {
    return a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
  },
};

/** A copy of a host tensor, with its data as this backend computes on it. */
export function uploadTensor({ data, shape }: HostTensor): CpuTensor {
  return { data: data instanceof Float64Array ? Float32Array.from(data) : data.slice(), shape: [...shape] };
}
