import type {
  BatchNormState,
  ChannelView,
  HalfData,
  HostTensor,
  NonFiniteElement,
  Overlap,
  Store,
  TensorAccess,
  TensorInfo,
} from "./contract.ts";
import { BatchNormError } from "./errors.ts";
import { fromBfloat16, fromFloat16, type HalfTensor, halfBits, halfTensorLike, isNonFiniteHalf } from "./half.ts";
import { copyState } from "./state.ts";

/** A float32 tensor of typed arrays: x, y, dy and the gradients of a backend that computes on the host. */
export type FloatTensor = HostTensor<Float32Array>;

/** A mask of typed arrays: a byte an element, 0 hides. */
export type MaskTensor = HostTensor<Uint8Array>;

/**
 * `{ data, shape }` over typed arrays, as tensors of a backend. `defineBackend` takes these where a definition names no
 * others. They are `HalfTensor`s, too, where a definition lists a dtype of half precision.
 */
export const hostTensors: Required<TensorAccess<FloatTensor, "sync", MaskTensor>> = {
  describe: describeHostTensor,
  overlap: ({ data: a }, { data: b }) => overlapOf(a, b),
  findNonFinite,
  upload(tensor) {
    const { data, shape } = tensor;
    if (isHalf(tensor)) return copyOfHalf(tensor) as HostTensor as FloatTensor;
    // A byte an element is a mask: told without `instanceof`, which is another in every realm.
    return data.BYTES_PER_ELEMENT === 1
      ? { data: new Uint8Array(data), shape: [...shape] }
      : { data: new Float32Array(data), shape: [...shape] };
  },
  download: (tensor) => (isHalf(tensor) ? copyOfHalf(tensor) : { data: tensor.data.slice(), shape: [...tensor.shape] }),
  release: () => {},
};

/** The state as typed arrays on the host: the arithmetic reads and writes them in place. */
export const hostStore: Store<BatchNormState, "sync"> = {
  create: (state) => state,
  read: copyState,
  write(state, { parameters, statistics }) {
    if (parameters.gamma) state.parameters.gamma?.set(parameters.gamma);
    if (parameters.beta) state.parameters.beta?.set(parameters.beta);
    if (statistics.movingMean) state.statistics.movingMean.set(statistics.movingMean);
    if (statistics.movingVariance) state.statistics.movingVariance.set(statistics.movingVariance);
  },
};

const DTYPES: Readonly<Record<string, string>> = { Float32Array: "float32", Float64Array: "float64", Uint8Array: "bool" };

/**
 * What a tensor of typed arrays is. Other arrays than those of the contract go by their own names, and are refused as dtypes.
 *
 * @throws BatchNormError `invalid-argument` for anything but `{ data, shape }` over a typed array, `unknown-dtype` for a
 * Uint16Array that does not say what its bits are, and for a `dtype` that is not the array's.
 */
export function describeHostTensor(tensor: HostTensor): TensorInfo {
  const data: unknown = tensor?.data;
  if (data instanceof Float32Array && tensor.dtype === undefined) return { shape: tensor.shape, dtype: "float32", length: data.length };
  if (!ArrayBuffer.isView(data) || data instanceof DataView) {
    throw new BatchNormError(
      "invalid-argument",
      "A tensor is not made of a typed array and a shape",
      tensor,
      "{ data: Float32Array, shape: [...] }",
    );
  }
  const tag = tagOf(data);
  return { shape: tensor.shape, dtype: dtypeOf(tag, tensor.dtype), length: (data as Uint8Array).length };
}

/** A Uint16Array has the dtype that is said, a Float16Array is float16, and beside any other array half precision is a mistake. */
function dtypeOf(tag: string, said: unknown): string {
  const isHalfName = said === "float16" || said === "bfloat16";
  if (tag === "Uint16Array") {
    if (isHalfName) return said;
    throw new BatchNormError(
      "unknown-dtype",
      "A Uint16Array does not say what its bits are",
      said,
      'dtype: "float16" or "bfloat16" beside it',
    );
  }
  const dtype = tag === "Float16Array" ? "float16" : (DTYPES[tag] ?? tag);
  // Another word beside another array is none of the contract's, and was never read.
  if (isHalfName && said !== dtype) {
    throw new BatchNormError("unknown-dtype", `A ${tag} does not hold such a dtype`, said, `no dtype beside it, or a Uint16Array of bits`);
  }
  return dtype;
}

/** The tag is the same in every realm, where `instanceof` is not. */
function tagOf(data: ArrayBufferView): string {
  return (data as Uint8Array)[Symbol.toStringTag];
}

function isHalf(tensor: HostTensor): tensor is HostTensor<HalfData> {
  const tag = tagOf(tensor.data);
  return tag === "Uint16Array" || tag === "Float16Array";
}

function copyOfHalf(tensor: HostTensor<HalfData>): HalfTensor {
  const copy = halfTensorLike(tensor, tensor.shape);
  halfBits(copy.data).set(halfBits(tensor.data));
  return copy;
}

function overlapOf(a: ArrayBufferView, b: ArrayBufferView): Overlap {
  if (a.buffer !== b.buffer || a.byteLength === 0 || b.byteLength === 0) return "none";
  if (a.byteOffset === b.byteOffset && a.byteLength === b.byteLength) return "same";
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength ? "partial" : "none";
}

function findNonFinite(tensor: HostTensor, { channels, inner }: ChannelView): NonFiniteElement | null {
  const { data, dtype = "float16" } = tensor;
  const channelOf = (k: number): number => Math.floor(k / inner) % channels;
  if (isHalf(tensor)) {
    const bits = halfBits(tensor.data);
    const k = bits.findIndex((each) => isNonFiniteHalf(each, dtype));
    return k < 0 ? null : { channel: channelOf(k), value: (dtype === "float16" ? fromFloat16 : fromBfloat16)(bits[k]) };
  }
  for (let k = 0; k < data.length; k++) if (!Number.isFinite(data[k])) return { channel: channelOf(k), value: data[k] };
  return null;
}
