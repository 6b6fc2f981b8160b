import { type OnnxModel, readModel } from "@batchnorm/onnx-model";
import type { Feeds } from "@batchnorm/onnx-model/execute";
import * as ort from "onnxruntime-node";
import { type KnownModel, tensorsOf } from "../../../packages/onnx-model/test/fixtures.ts";
import { type Data, differences, largest, runModel } from "../../../packages/onnx-model/test/run-model.ts";

/** The inputs that the model's maker gave. */
export function inputsOf({ tensors, inputs }: KnownModel): Readonly<Record<string, Data>> {
  const all = tensorsOf(tensors);
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { type, shape }]) => [
      name,
      { type, shape, data: Array.from(all.get(`input/${name}`)!.data as ArrayLike<number>, Number) },
    ]),
  );
}

/** The same as tensors of onnxruntime. */
export function feedsOf(known: KnownModel): Feeds {
  const dataOf = ({ type, data }: Data): ort.Tensor.DataTypeMap[keyof ort.Tensor.DataTypeMap] => {
    if (type === "bool") return Uint8Array.from(data as ArrayLike<number>);
    return type === "int64" ? BigInt64Array.from(Array.from(data), BigInt) : Float32Array.from(data);
  };
  return Object.fromEntries(
    Object.entries(inputsOf(known)).map(([name, data]) => [
      name,
      new ort.Tensor(data.type as "float32", dataOf(data) as Float32Array, data.shape),
    ]),
  );
}

/**
 * How far a tool's model is from the original, as a share of the output's largest magnitude; both run without the
 * runtime's optimizations.
 */
export async function differenceOf(original: OnnxModel, bytes: Uint8Array, known: KnownModel): Promise<number> {
  const inputs = inputsOf(known);
  const outputs = Object.keys(known.outputs);
  const [before, after] = [await runModel(original, inputs, outputs), await runModel(readModel(bytes), inputs, outputs)];
  const shares = outputs.map((name) => {
    const apart = Math.max(...differences(flat(before[name]), flat(after[name]), 0));
    return apart === 0 ? 0 : apart / Math.max(largest(before[name]), Number.MIN_VALUE);
  });
  return Math.max(...shares);
}

function flat({ type, data }: Data): Data {
  return { type, data, shape: [data.length] };
}
