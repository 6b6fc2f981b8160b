import { BatchNormError, type HostTensor, type TensorAccess } from "@batchnorm/spec";
import type { Tensor, Tf } from "./tf.ts";

/** tfjs's names of dtypes, in the words of the contract; the others keep their own and are refused. */
const DTYPES: Readonly<Record<string, string>> = { float32: "float32", bool: "bool" };

/** What the contract asks about a tensor; see `TensorAccess`. */
export function tensorAccess(tf: Tf): TensorAccess<Tensor> {
  return {
    describe(tensor) {
      // tfjs recognizes tensors of another copy of itself, too.
      if (!(tensor instanceof tf.Tensor) || tensor.isDisposed) {
        const received = tensor instanceof tf.Tensor ? "a disposed tensor" : tensor;
        throw new BatchNormError("invalid-argument", "A tensor cannot be used", received, "a tf.Tensor that is not disposed");
      }
      return { shape: tensor.shape, dtype: DTYPES[tensor.dtype] ?? tensor.dtype };
    },
    // Asked only by backends that take `out`.
    overlaps: () => false,
  };
}

/** A tensor with a copy of the host's data; tfjs's cpu backend would keep the array itself. */
export function uploadTensor(tf: Tf, { data, shape }: HostTensor): Tensor {
  const dtype = data instanceof Uint8Array ? "bool" : "float32";
  return tf.tensor(data instanceof Float64Array ? Float32Array.from(data) : data.slice(), [...shape], dtype);
}

/** The data of a tensor, copied: tfjs's cpu backend gives out its own array. */
export async function downloadTensor(tensor: Tensor): Promise<HostTensor> {
  const shape = [...tensor.shape];
  const data = (await tensor.data()) as Float32Array | Uint8Array;
  return { data: data.slice(), shape };
}
