import { BatchNormError } from "@batchnorm/spec";
import { fromFloat16 } from "@batchnorm/spec/half";

/** The floats that a state can be read from. */
export type NumberType = "float16" | "bfloat16" | "float32" | "float64";

export const BYTES_PER_NUMBER: Readonly<Record<NumberType, number>> = { float16: 2, bfloat16: 2, float32: 4, float64: 8 };

/** One variable of a file. Its bytes are looked at when it is read. */
export interface StoredTensor {
  /** Where it is in the file, as a person would look it up. */
  readonly path: string;
  readonly shape: readonly number[];
  /** Null where the file holds something that is no float, or that we do not read. */
  readonly type: NumberType | null;
  /** What the file has, in words: `float32`, `uint8, quantized`, `integer of 4 bytes`. */
  readonly typeName: string;
  /**
   * The numbers, little-endian, one after the other; a view into the file or a copy.
   *
   * @throws BatchNormError where they cannot be had.
   */
  bytes(): Uint8Array;
}

/**
 * The numbers of a vector as float32, every one exactly: float16 and bfloat16 are widened, float64 is taken where no number would be
 * rounded. NaN keeps its payload where the file has float32.
 *
 * @throws BatchNormError `unknown-dtype` for another type or a float64 that float32 does not hold, `invalid-file` for another rank.
 */
export function readVector(tensor: StoredTensor): Float32Array {
  const { path, shape, type, typeName } = tensor;
  if (type === null) {
    throw new BatchNormError(
      "unknown-dtype",
      `${path} is not made of floats that are read`,
      typeName,
      Object.keys(BYTES_PER_NUMBER).join(", "),
    );
  }
  if (shape.length !== 1) throw new BatchNormError("invalid-file", `${path} is not a vector`, shape, "a shape of one dimension");
  const bytes = tensor.bytes();
  // A copy of its own: a Float32Array has to begin at a multiple of 4, and bytes of a Buffer may lie in a pool.
  const own = new Uint8Array(bytes).buffer;
  return READERS[type](own, path);
}

const READERS: Readonly<Record<NumberType, (buffer: ArrayBuffer, path: string) => Float32Array>> = {
  float32: (buffer) => new Float32Array(buffer),
  bfloat16: (buffer) => new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer),
  float16: (buffer) => Float32Array.from(new Uint16Array(buffer), fromFloat16),
  float64: (buffer, path) => {
    const values = new Float64Array(buffer);
    const rounded = Float32Array.from(values);
    const index = values.findIndex((value, k) => !Object.is(value, rounded[k]));
    if (index >= 0) {
      throw new BatchNormError("unknown-dtype", `${path}[${index}] is a float64 that float32 does not hold`, values[index], "a float32");
    }
    return rounded;
  },
};

/** The types of some variables in the file, such as "float32". */
export function typeNames(tensors: Iterable<StoredTensor>): string {
  return [...new Set(Array.from(tensors, ({ typeName }) => typeName))].join(", ");
}
