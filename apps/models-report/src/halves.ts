import { basename } from "node:path";
import { readModel } from "@batchnorm/onnx-model";
import { randomInputs, verifyFold } from "@batchnorm/onnx-model/execute";
import * as ort from "onnxruntime-node";
import { PP_OCR, readAsset } from "./pp-ocr.ts";

/** What float16 costs a model that was folded first. */
export interface Half {
  readonly model: string;
  readonly converted: number;
  readonly kept: number;
  /** The output of the folded model in float16 beside that in float32. */
  readonly difference: number;
  readonly largest: number;
}

export async function halves(): Promise<readonly Half[]> {
  const rows: Half[] = [];
  for (const file of PP_OCR) {
    const model = readModel(readAsset(file));
    const { report, float16Outputs } = await verifyFold(model, { ort, inputs: randomInputs(model, ort), float16: true });
    const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((all, each) => all + each, 0);
    const [{ difference, largest }] = float16Outputs!;
    const { converted, kept } = report.float16!;
    rows.push({ model: basename(file), converted: sum(converted), kept: sum(kept), difference: difference!, largest: largest! });
  }
  return rows;
}
