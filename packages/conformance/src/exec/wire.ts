import { describeValue, type FloatTensor, type HostTensor, sameShape, sizeOf } from "@batchnorm/spec";
import { type HalfData, halfBits } from "@batchnorm/spec/half";
import type { Answer } from "./adapter-process.ts";

/** A tensor as a field of a line: row major, little-endian, in base64. bool is one byte an element. */
export interface WireTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: string;
}

/** The bytes of an element, by the dtypes of what is computed with. */
const SIZES: Readonly<Record<string, number>> = { float32: 4, float16: 2, bfloat16: 2 };

export function encodeTensor(tensor: HostTensor, shape: readonly number[]): WireTensor {
  const { data } = tensor;
  const dtype = data instanceof Uint8Array ? "bool" : data instanceof Float32Array ? "float32" : (tensor.dtype ?? "float16");
  const { buffer, byteOffset, byteLength } = SIZES[dtype] === 2 ? halfBits(data as HalfData) : data;
  return { dtype, shape, data: littleEndian(Buffer.from(buffer, byteOffset, byteLength), dtype).toString("base64") };
}

/** gamma, beta and the statistics, each `[channels]`; null where there is none. */
export function encodeArray(array: Float32Array | null): WireTensor | null {
  return array === null ? null : encodeTensor({ data: array, shape: [array.length] }, [array.length]);
}

/**
 * A tensor of an answer; what is of half precision comes as bits, and passes for one of float32 in the types.
 *
 * @throws Error where the field is none, or has another dtype or shape than is expected.
 */
export function decodeTensor(answer: Answer, name: string, shape: readonly number[], dtype: string = "float32"): FloatTensor {
  const field = answer[name];
  const expected = `expected a ${dtype} tensor of the shape [${shape.join(", ")}]`;
  if (!isTensor(field)) throw new Error(`the adapter answered with ${describeValue(field)} as ${name}, ${expected}`);
  if (field.dtype !== dtype) throw new Error(`the adapter's ${name} has the dtype ${describeValue(field.dtype)}, ${expected}`);
  if (!sameShape(field.shape, shape)) throw new Error(`the adapter's ${name} has the shape ${describeValue(field.shape)}, ${expected}`);
  const bytes = littleEndian(Buffer.from(field.data, "base64"), dtype);
  if (bytes.length !== SIZES[dtype] * sizeOf(shape))
    throw new Error(`the adapter's ${name} has ${bytes.length} bytes of data, ${expected}`);
  // A copy: the memory of a Buffer may be shared, and not aligned.
  const { buffer } = Uint8Array.from(bytes);
  const tensor = dtype === "float32" ? { data: new Float32Array(buffer) } : { data: new Uint16Array(buffer), dtype };
  return { ...tensor, shape: [...shape] } as FloatTensor;
}

/** A gradient of a parameter, which may be null. */
export function decodeArrayOrNull(answer: Answer, name: string, channels: number): FloatTensor | null {
  return answer[name] === null || answer[name] === undefined ? null : decodeTensor(answer, name, [channels]);
}

function isTensor(field: unknown): field is WireTensor {
  if (typeof field !== "object" || field === null) return false;
  const { shape, data } = field as Partial<WireTensor>;
  return Array.isArray(shape) && typeof data === "string";
}

/** Bytes of this machine's order in that of the wire, or the reverse. */
function littleEndian(bytes: Buffer, dtype: string): Buffer {
  if (!BIG_ENDIAN || dtype === "bool") return bytes;
  return SIZES[dtype] === 4 ? Buffer.from(bytes).swap32() : Buffer.from(bytes).swap16();
}

const BIG_ENDIAN: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;
