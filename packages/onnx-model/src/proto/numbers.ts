/** The numbers of ONNX's TensorProto.DataType that this package names. */
export const ElementType = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const;

export type ElementTypeName = keyof typeof ElementType;

/** The numbers of ONNX's AttributeProto.AttributeType. */
export const AttributeType = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
  sparse_tensor: 11,
} as const;

export type AttributeTypeName = keyof typeof AttributeType;

/** TensorProto.DataLocation EXTERNAL: the data is in a file beside the model. */
export const EXTERNAL = 1;
