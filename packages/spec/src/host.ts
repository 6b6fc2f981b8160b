import type { BatchNormState, ChannelView, HostTensor, NonFiniteElement, Overlap, Store, TensorAccess, TensorInfo } from "./contract.ts";
import { BatchNormError } from "./errors.ts";
import { copyState } from "./state.ts";

/** A float32 tensor of typed arrays: x, y, dy and the gradients of a backend that computes on the host. */
export type FloatTensor = HostTensor<Float32Array>;

/** A mask of typed arrays: a byte an element, 0 hides. */
export type MaskTensor = HostTensor<Uint8Array>;

/**
 * `{ data, shape }` over typed arrays, as tensors of a backend. `defineBackend` takes these where a definition names no
 * others.
 */
export const hostTensors: Required<TensorAccess<FloatTensor, "sync", MaskTensor>> = {
  describe: describeHostTensor,
  overlap: ({ data: a }, { data: b }) => overlapOf(a, b),
  findNonFinite,
  // A byte an element is a mask: told without `instanceof`, which is another in every realm.
  upload: ({ data, shape }) =>
    data.BYTES_PER_ELEMENT === 1 ? { data: new Uint8Array(data), shape: [...shape] } : { data: new Float32Array(data), shape: [...shape] },
  download: ({ data, shape }) => ({ data: data.slice(), shape: [...shape] }),
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
 * @throws BatchNormError `invalid-argument` for anything but `{ data, shape }` over a typed array.
 */
export function describeHostTensor(tensor: HostTensor): TensorInfo {
  const data: unknown = tensor?.data;
  if (data instanceof Float32Array) return { shape: tensor.shape, dtype: "float32", length: data.length };
  if (!ArrayBuffer.isView(data) || data instanceof DataView) {
    throw new BatchNormError(
      "invalid-argument",
      "A tensor is not made of a typed array and a shape",
      tensor,
      "{ data: Float32Array, shape: [...] }",
    );
  }
  // The tag is the same in every realm, where `instanceof` is not.
  const tag = (data as Uint8Array)[Symbol.toStringTag];
  return { shape: tensor.shape, dtype: DTYPES[tag] ?? tag, length: (data as Uint8Array).length };
}

function overlapOf(a: ArrayBufferView, b: ArrayBufferView): Overlap {
  if (a.buffer !== b.buffer || a.byteLength === 0 || b.byteLength === 0) return "none";
  if (a.byteOffset === b.byteOffset && a.byteLength === b.byteLength) return "same";
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength ? "partial" : "none";
}

function findNonFinite({ data }: FloatTensor, { channels, inner }: ChannelView): NonFiniteElement | null {
  for (let k = 0; k < data.length; k++) {
    if (!Number.isFinite(data[k])) return { channel: Math.floor(k / inner) % channels, value: data[k] };
  }
  return null;
}
