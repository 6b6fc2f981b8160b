import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from "@batchnorm/spec/half";
import { create } from "@bufbuild/protobuf";
import { ElementType, type TensorProto, TensorProtoSchema } from "../proto/index.ts";
import type { FloatName } from "./element-type.ts";

/**
 * A tensor of floating-point numbers, each rounded once to the element type. A Float32Array goes into float32 bit for
 * bit.
 */
export function floatTensor(name: string, type: FloatName, dims: readonly number[], values: Float32Array | Float64Array): TensorProto {
  return create(TensorProtoSchema, { name, dims: dims.map(BigInt), dataType: ElementType[type], rawData: bytesOf(type, values) });
}

/** The nearest number of the type, ties to even: what a file with that type holds. */
export function roundFloat(type: FloatName, value: number): number {
  switch (type) {
    case "float64":
      return value;
    case "float32":
      return Math.fround(value);
    case "float16":
      return fromFloat16(toFloat16(value));
    case "bfloat16":
      return fromBfloat16(toBfloat16(value));
  }
}

/** Raw data as ONNX wants it: little-endian, as typed arrays are on every platform with an ONNX Runtime. */
function bytesOf(type: FloatName, values: Float32Array | Float64Array): Uint8Array {
  switch (type) {
    case "float64":
      return new Uint8Array(Float64Array.from(values).buffer);
    case "float32":
      return new Uint8Array((values instanceof Float32Array ? values.slice() : Float32Array.from(values)).buffer);
    case "float16":
      return new Uint8Array(Uint16Array.from(values, toFloat16).buffer);
    case "bfloat16":
      return new Uint8Array(Uint16Array.from(values, toBfloat16).buffer);
  }
}
