import { describeValue, type HostTensor } from "@batchnorm/spec";
import { bitsOf, type FloatDType, type HalfDType, widened } from "../vectors/half.ts";

/** Numbers as a tensor of the host: half precision as bits, which every runtime has an array for. Bytes are a mask's. */
export function hostTensor(data: Float32Array | Uint8Array, shape: readonly number[], dtype?: HalfDType): HostTensor {
  return dtype === undefined || data instanceof Uint8Array ? { data, shape } : { data: bitsOf(data, dtype), shape, dtype };
}

/** What the elements of a tensor are, null where that is neither float32 nor half precision. */
export function dtypeOfTensor({ data, dtype }: HostTensor): FloatDType | null {
  if (isFloat32(data)) return "float32";
  const tag = tagOf(data);
  if (tag === "Float16Array") return "float16";
  return tag === "Uint16Array" && (dtype === "float16" || dtype === "bfloat16") ? dtype : null;
}

/** The numbers of a tensor as float32: null where it has another dtype than is wanted, or where that is left out, none of these. */
export function numbersOf(tensor: HostTensor, wanted: FloatDType | null = dtypeOfTensor(tensor)): Float32Array | null {
  const dtype = dtypeOfTensor(tensor);
  if (dtype === null || dtype !== wanted) return null;
  const { data } = tensor;
  if (dtype === "float32") return data as Float32Array;
  return tagOf(data) === "Float16Array" ? Float32Array.from(data) : widened(data as Uint16Array, dtype);
}

/** What a tensor came as, in words. */
export function describeData({ data, dtype }: HostTensor): string {
  return `${describeValue(data)}${dtype === undefined ? "" : ` with the dtype ${describeValue(dtype)}`}`;
}

/** By its tag: the array may come from another realm, such as a worker's. */
export function isFloat32(array: unknown): array is Float32Array {
  return tagOf(array) === "Float32Array";
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}
