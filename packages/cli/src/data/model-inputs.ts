import type { OnnxModel } from "@batchnorm/onnx-model";
import type { Runtime, RuntimeTensor } from "@batchnorm/onnx-model/execute";
import { ElementType } from "@batchnorm/onnx-model/proto";
import { BatchNormError } from "@batchnorm/spec";
import type { Numbers } from "./numbers.ts";

/** An input of a model that a caller has to feed. */
export interface ModelInput {
  readonly name: string;
  /** ONNX's number of the element type. */
  readonly elementType: number;
  /** null for a dimension that the caller chooses. */
  readonly shape: readonly (number | null)[];
  /** The first dimension. */
  readonly batch: number | null;
}

export function modelInputs({ proto }: OnnxModel): readonly ModelInput[] {
  const initializers = new Set(proto.graph?.initializer.map(({ name }) => name));
  return (proto.graph?.input ?? [])
    .filter(({ name }) => !initializers.has(name))
    .map(({ name, type }) => {
      const tensor = type?.value.case === "tensorType" ? type.value.value : undefined;
      const shape = (tensor?.shape?.dim ?? []).map(({ value }) =>
        value.case === "dimValue" && value.value > 0n ? Number(value.value) : null,
      );
      return { name, elementType: tensor?.elemType ?? ElementType.float32, shape, batch: shape[0] ?? null };
    });
}

/** Numbers as a tensor of the type that an input wants. */
export function tensorFor(
  { Tensor }: Runtime,
  { name, elementType }: ModelInput,
  values: Numbers,
  shape: readonly number[],
): RuntimeTensor {
  switch (elementType) {
    case ElementType.float32:
      return new Tensor("float32", values instanceof Float32Array ? values : Float32Array.from(values), shape);
    case ElementType.float64:
      return new Tensor("float64", values instanceof Float64Array ? values : Float64Array.from(values), shape);
    case ElementType.int64:
      return new Tensor("int64", BigInt64Array.from(Array.from(values, (value) => BigInt(Math.trunc(value)))), shape);
    case ElementType.int32:
      return new Tensor("int32", Int32Array.from(values), shape);
    case ElementType.uint8:
      return new Tensor("uint8", Uint8Array.from(values), shape);
    case ElementType.bool:
      return new Tensor("bool", Uint8Array.from(values), shape);
    default:
      throw new BatchNormError(
        "unsupported",
        `The input ${name} is of a type that cannot be fed`,
        elementType,
        "float32, float64 or integers",
      );
  }
}
