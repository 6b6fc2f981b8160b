import { ElementType } from "../proto/index.ts";

/** The field of a TensorProto that holds the numbers of a type where they are not raw bytes. */
type TypedField = "floatData" | "int32Data" | "int64Data" | "doubleData" | "uint64Data" | "stringData";

/** What the format says of an element type. */
export interface ElementTypeInfo {
  readonly name: string;
  /** Of one element in raw data; null for text, which has none. */
  readonly bits: number | null;
  readonly field: TypedField;
  /** How many entries of `field` one element takes: less than one where several elements are packed into an entry. */
  readonly entries: number;
}

const info = (name: string, bits: number | null, field: TypedField, entries = 1): ElementTypeInfo => ({ name, bits, field, entries });

/** TensorProto.DataType, as of ONNX 1.23. */
const TYPES: ReadonlyMap<number, ElementTypeInfo> = new Map([
  [ElementType.float32, info("float32", 32, "floatData")],
  [ElementType.uint8, info("uint8", 8, "int32Data")],
  [ElementType.int8, info("int8", 8, "int32Data")],
  [ElementType.uint16, info("uint16", 16, "int32Data")],
  [ElementType.int16, info("int16", 16, "int32Data")],
  [ElementType.int32, info("int32", 32, "int32Data")],
  [ElementType.int64, info("int64", 64, "int64Data")],
  [ElementType.string, info("string", null, "stringData")],
  [ElementType.bool, info("bool", 8, "int32Data")],
  [ElementType.float16, info("float16", 16, "int32Data")],
  [ElementType.float64, info("float64", 64, "doubleData")],
  [ElementType.uint32, info("uint32", 32, "uint64Data")],
  [ElementType.uint64, info("uint64", 64, "uint64Data")],
  [14, info("complex64", 64, "floatData", 2)],
  [15, info("complex128", 128, "doubleData", 2)],
  [ElementType.bfloat16, info("bfloat16", 16, "int32Data")],
  [17, info("float8e4m3fn", 8, "int32Data")],
  [18, info("float8e4m3fnuz", 8, "int32Data")],
  [19, info("float8e5m2", 8, "int32Data")],
  [20, info("float8e5m2fnuz", 8, "int32Data")],
  [21, info("uint4", 4, "int32Data", 1 / 2)],
  [22, info("int4", 4, "int32Data", 1 / 2)],
  [23, info("float4e2m1", 4, "int32Data", 1 / 2)],
  [24, info("float8e8m0", 8, "int32Data")],
  [25, info("uint2", 2, "int32Data", 1 / 4)],
  [26, info("int2", 2, "int32Data", 1 / 4)],
]);

/** What is known of an element type by its number, or null for one that is newer than this package. */
export function elementTypeInfo(number: number): ElementTypeInfo | null {
  return TYPES.get(number) ?? null;
}

/** The floating-point types whose numbers this package computes with. */
export type FloatName = "float32" | "float64" | "float16" | "bfloat16";

/**
 * Half the distance from 1 to the next number of the type: one correctly rounded result errs by at most this much of
 * itself.
 */
export const UNIT_ROUNDOFF: Readonly<Record<FloatName, number>> = {
  float64: 2 ** -53,
  float32: 2 ** -24,
  float16: 2 ** -11,
  bfloat16: 2 ** -8,
};

export function isFloat(name: string): name is FloatName {
  return Object.hasOwn(UNIT_ROUNDOFF, name);
}
