import { BatchNormError, type HostTensor, type TensorAccess } from "@batchnorm/spec";
import { onBackend, type Tensor, type Tf } from "./tf.ts";

/** tfjs's names of dtypes, in the words of the contract; the others keep their own and are refused. */
const DTYPES: Readonly<Record<string, string>> = { float32: "float32", bool: "bool" };

/** What the contract asks of tfjs's tensors. Uploaded ones lie on the backend of that name, or, with null, on the active one. */
export function tensorAccess(tf: Tf, backendName: string | null): TensorAccess<Tensor, "async-reads"> {
  return {
    describe(tensor) {
      // tfjs recognizes tensors of another copy of itself, too.
      if (!(tensor instanceof tf.Tensor) || tensor.isDisposed) {
        const received = tensor instanceof tf.Tensor ? "a disposed tensor" : tensor;
        throw new BatchNormError("invalid-argument", "A tensor cannot be used", received, "a tf.Tensor that is not disposed");
      }
      return { shape: tensor.shape, dtype: DTYPES[tensor.dtype] ?? tensor.dtype };
    },
    upload: ({ data, shape }) =>
      onBackend(tf, backendName, () => {
        // A byte an element is a mask. Copies, of this realm: tfjs's cpu backend would keep the array itself, and tfjs knows no other.
        if (data.BYTES_PER_ELEMENT === 1) return tf.tensor(new Uint8Array(data), [...shape], "bool");
        return tf.tensor(new Float32Array(data), [...shape], "float32");
      }),
    download,
    release: (tensor) => tf.dispose(tensor),
  };
}

/** The data of a tensor, copied: tfjs's cpu backend gives out its own array. */
async function download(tensor: Tensor): Promise<HostTensor> {
  const shape = [...tensor.shape];
  const data = (await tensor.data()) as Float32Array | Uint8Array;
  return { data: data.slice(), shape };
}
