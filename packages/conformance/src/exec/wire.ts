import { describeValue, type FloatTensor, sameShape, sizeOf } from "@batchnorm/spec";
import type { Answer } from "./adapter-process.ts";

/** A tensor as a field of a line: row major, little-endian, in base64. bool is one byte an element. */
export interface WireTensor {
  readonly dtype: "float32" | "bool";
  readonly shape: readonly number[];
  readonly data: string;
}

export function encodeTensor(data: Float32Array | Uint8Array, shape: readonly number[]): WireTensor {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof Uint8Array) return { dtype: "bool", shape, data: bytes.toString("base64") };
  return { dtype: "float32", shape, data: (BIG_ENDIAN ? Buffer.from(bytes).swap32() : bytes).toString("base64") };
}

/** gamma, beta and the statistics, each `[channels]`; null where there is none. */
export function encodeArray(array: Float32Array | null): WireTensor | null {
  return array === null ? null : encodeTensor(array, [array.length]);
}

/**
 * A float32 tensor of an answer.
 *
 * @throws Error where the field is none, or has another shape than is expected.
 */
export function decodeTensor(answer: Answer, name: string, shape: readonly number[]): FloatTensor {
  const field = answer[name];
  const expected = `expected a float32 tensor of the shape [${shape.join(", ")}]`;
  if (!isTensor(field)) throw new Error(`the adapter answered with ${describeValue(field)} as ${name}, ${expected}`);
  if (field.dtype !== "float32") throw new Error(`the adapter's ${name} has the dtype ${describeValue(field.dtype)}, ${expected}`);
  if (!sameShape(field.shape, shape)) throw new Error(`the adapter's ${name} has the shape ${describeValue(field.shape)}, ${expected}`);
  const bytes = Buffer.from(field.data, "base64");
  if (bytes.length !== 4 * sizeOf(shape)) throw new Error(`the adapter's ${name} has ${bytes.length} bytes of data, ${expected}`);
  if (BIG_ENDIAN) bytes.swap32();
  // A copy: the memory of a Buffer may be shared, and not aligned.
  return { data: new Float32Array(Uint8Array.from(bytes).buffer), shape: [...shape] };
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

const BIG_ENDIAN: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;
