import { fromBfloat16, fromFloat16 } from "@batchnorm/spec/half";
import { invalidFile, quoted } from "../errors.ts";
import { ElementType, type TensorProto } from "../proto/index.ts";
import { elementTypeInfo } from "./element-type.ts";
import { dimsOf, sizeOf } from "./tensor-check.ts";

/**
 * A tensor's numbers. float32, float16 and bfloat16 are a Float32Array, which holds them exactly; all other types are a
 * Float64Array, which holds them exactly but for 64-bit integers from 2^53 on.
 */
export interface Tensor {
  /** The name of the element type in the file, such as `float16`. */
  readonly type: string;
  readonly dims: readonly number[];
  readonly values: Float32Array | Float64Array;
}

type Reader = (view: DataView, at: number) => number;

const READERS: Readonly<Record<number, readonly [number, Reader]>> = {
  [ElementType.float64]: [8, (view, at) => view.getFloat64(at, true)],
  [ElementType.float16]: [2, (view, at) => fromFloat16(view.getUint16(at, true))],
  [ElementType.bfloat16]: [2, (view, at) => fromBfloat16(view.getUint16(at, true))],
  [ElementType.int8]: [1, (view, at) => view.getInt8(at)],
  [ElementType.uint8]: [1, (view, at) => view.getUint8(at)],
  [ElementType.bool]: [1, (view, at) => view.getUint8(at)],
  [ElementType.int16]: [2, (view, at) => view.getInt16(at, true)],
  [ElementType.uint16]: [2, (view, at) => view.getUint16(at, true)],
  [ElementType.int32]: [4, (view, at) => view.getInt32(at, true)],
  [ElementType.uint32]: [4, (view, at) => view.getUint32(at, true)],
  [ElementType.int64]: [8, (view, at) => Number(view.getBigInt64(at, true))],
  [ElementType.uint64]: [8, (view, at) => Number(view.getBigUint64(at, true))],
};

/** Whether `readTensor` knows the element type. */
export function isNumeric(tensor: TensorProto): boolean {
  return tensor.dataType === ElementType.float32 || READERS[tensor.dataType] !== undefined;
}

/**
 * The numbers of a tensor that `checkTensor` found in order; `raw` are its bytes where they are in another file.
 *
 * @throws BatchNormError `invalid-file` for a type without such numbers: text, complex numbers, types of less than 8
 * bits.
 */
export function readTensor(tensor: TensorProto, raw: Uint8Array = tensor.rawData): Tensor {
  const info = elementTypeInfo(tensor.dataType);
  const dims = dimsOf(tensor);
  const type = info?.name ?? `type ${tensor.dataType}`;
  if (info === null || !isNumeric(tensor)) {
    throw invalidFile(`The numbers of the tensor ${quoted(tensor.name)} cannot be read`, type, "floating-point numbers or integers");
  }
  if (raw.length > 0) return { type, dims, values: fromRaw(tensor.dataType, raw, sizeOf(dims)) };
  return { type, dims, values: fromTyped(tensor) };
}

function fromRaw(dataType: number, raw: Uint8Array, size: number): Float32Array | Float64Array {
  // The bytes may lie at an odd offset of a larger buffer, and a Buffer's slice does not copy: so it is copied by hand.
  // As bytes, not as numbers, so that a NaN keeps its bits. Little-endian, as every platform with an ONNX Runtime is.
  if (dataType === ElementType.float32) {
    const values = new Float32Array(size);
    new Uint8Array(values.buffer).set(raw);
    return values;
  }
  const [bytes, read] = READERS[dataType];
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const values = isHalf(dataType) ? new Float32Array(size) : new Float64Array(size);
  for (let k = 0; k < size; k++) values[k] = read(view, k * bytes);
  return values;
}

function fromTyped(tensor: TensorProto): Float32Array | Float64Array {
  switch (tensor.dataType) {
    case ElementType.float32:
      return Float32Array.from(tensor.floatData);
    case ElementType.float64:
      return Float64Array.from(tensor.doubleData);
    case ElementType.float16:
      return Float32Array.from(tensor.int32Data, (bits) => fromFloat16(bits & 0xffff));
    case ElementType.bfloat16:
      return Float32Array.from(tensor.int32Data, (bits) => fromBfloat16(bits & 0xffff));
    case ElementType.int64:
      return Float64Array.from(tensor.int64Data, Number);
    case ElementType.uint32:
    case ElementType.uint64:
      return Float64Array.from(tensor.uint64Data, Number);
    default:
      return Float64Array.from(tensor.int32Data);
  }
}

function isHalf(dataType: number): boolean {
  return dataType === ElementType.float16 || dataType === ElementType.bfloat16;
}
