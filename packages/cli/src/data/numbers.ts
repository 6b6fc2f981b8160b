import { fromFloat16 } from "@batchnorm/spec/half";

/** The types of numbers that data files hold, by the code of NumPy. */
export type NumberType = "f2" | "f4" | "f8" | "i1" | "i2" | "i4" | "i8" | "u1" | "u2" | "u4" | "u8" | "b1";

interface StoredNumber {
  readonly bytes: number;
  read(view: DataView, at: number, little: boolean): number;
}

const TYPES: Readonly<Record<NumberType, StoredNumber>> = {
  f2: { bytes: 2, read: (view: DataView, at: number, little: boolean) => fromFloat16(view.getUint16(at, little)) },
  f4: { bytes: 4, read: (view: DataView, at: number, little: boolean) => view.getFloat32(at, little) },
  f8: { bytes: 8, read: (view: DataView, at: number, little: boolean) => view.getFloat64(at, little) },
  i1: { bytes: 1, read: (view: DataView, at: number) => view.getInt8(at) },
  i2: { bytes: 2, read: (view: DataView, at: number, little: boolean) => view.getInt16(at, little) },
  i4: { bytes: 4, read: (view: DataView, at: number, little: boolean) => view.getInt32(at, little) },
  i8: { bytes: 8, read: (view: DataView, at: number, little: boolean) => Number(view.getBigInt64(at, little)) },
  u1: { bytes: 1, read: (view: DataView, at: number) => view.getUint8(at) },
  u2: { bytes: 2, read: (view: DataView, at: number, little: boolean) => view.getUint16(at, little) },
  u4: { bytes: 4, read: (view: DataView, at: number, little: boolean) => view.getUint32(at, little) },
  u8: { bytes: 8, read: (view: DataView, at: number, little: boolean) => Number(view.getBigUint64(at, little)) },
  b1: { bytes: 1, read: (view: DataView, at: number) => (view.getUint8(at) === 0 ? 0 : 1) },
};

export function isNumberType(code: string): code is NumberType {
  return Object.hasOwn(TYPES, code);
}

export function bytesPerNumber(type: NumberType): number {
  return TYPES[type].bytes;
}

/** Numbers of a file: as they are stored where that is an array of this machine's, else as float64. */
export type Numbers = Float32Array | Float64Array | Uint8Array;

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * Numbers as they are stored. float64 holds all but the largest integers of 64 bits. The usual types are not read one by
 * one, which takes longer than a small net.
 */
export function decode(bytes: Uint8Array, type: NumberType, little: boolean): Numbers {
  if (type === "u1") return bytes;
  if (little && IS_LITTLE_ENDIAN && (type === "f4" || type === "f8")) {
    // A copy, since an array of floats has to begin at a multiple of its size.
    const { buffer } = Uint8Array.from(bytes);
    return type === "f4" ? new Float32Array(buffer) : new Float64Array(buffer);
  }
  const { bytes: size, read } = TYPES[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: bytes.length / size }, (_, k) => read(view, k * size, little));
}

/** Numbers that lie column by column, row by row. */
export function fromColumns(values: Numbers, shape: readonly number[]): Float64Array {
  const result = new Float64Array(values.length);
  const index = new Array<number>(shape.length).fill(0);
  for (let k = 0; k < values.length; k++) {
    let at = 0;
    for (let axis = 0; axis < shape.length; axis++) at = at * shape[axis] + index[axis];
    result[at] = values[k];
    for (let axis = 0; axis < shape.length && ++index[axis] === shape[axis]; axis++) index[axis] = 0;
  }
  return result;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, dimension) => size * dimension, 1);
}
