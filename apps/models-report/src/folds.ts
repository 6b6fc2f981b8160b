import { type OnnxModel, readModel } from "@batchnorm/onnx-model";
import { type ExecutedFold, type Feeds, randomInputs, verifyFold } from "@batchnorm/onnx-model/execute";
import * as ort from "onnxruntime-node";
import { MODELS, modelOf } from "../../../packages/onnx-model/test/fixtures.ts";
import { PP_OCR, readAsset } from "./pp-ocr.ts";
import { feedsOf } from "./runs.ts";

/** The folds of some models, executed: how many, and the worst of them beside its bound. */
export interface FoldErrors {
  readonly models: string;
  readonly count: number;
  readonly folds: number;
  readonly within: number;
  /** The largest share of its bound that an error has, and the median. */
  readonly worstShare: number;
  readonly medianShare: number;
  readonly error: number;
  readonly bound: number;
}

const GROUPS: readonly (readonly [models: string, pattern: RegExp])[] = [
  ["handmade", /^handmade\//],
  ["Keras 3 and tf_keras", /^(keras|keras-jax|keras-torch|tf-keras|recalibration)\//],
  ["torch", /^torch\//],
];

export async function foldErrors(): Promise<readonly FoldErrors[]> {
  const groups: FoldErrors[] = [];
  for (const [models, pattern] of GROUPS) {
    const known = MODELS.filter(({ id, layers, inputs, onnxruntime: { disabled } }) => {
      // A float16 input cannot be fed: onnxruntime-node 1.30 and Node 24 do not agree on what holds one.
      const isFed = inputs.x?.type !== "float16";
      return pattern.test(id) && isFed && typeof disabled === "number" && layers.some(({ fold: { possible } }) => possible);
    });
    groups.push(
      await errorsOf(
        models,
        known.map((each) => ({ model: modelOf(each), inputs: feedsOf(each) })),
      ),
    );
  }
  const models = PP_OCR.map((file) => readModel(readAsset(file)));
  groups.push(
    await errorsOf(
      "PP-OCR",
      models.map((model) => ({ model, inputs: randomInputs(model, ort) })),
    ),
  );
  return groups;
}

async function errorsOf(models: string, all: readonly { readonly model: OnnxModel; readonly inputs: Feeds }[]): Promise<FoldErrors> {
  const executed: ExecutedFold[] = [];
  let folds = 0;
  for (const { model, inputs } of all) {
    const result = await verifyFold(model, { ort, inputs });
    executed.push(...result.executed);
    folds += result.report.folded.length;
  }
  const shareOf = ({ error, bound }: ExecutedFold): number => (error === 0 ? 0 : error / bound);
  const sorted = executed.sort((a, b) => shareOf(b) - shareOf(a));
  return {
    models,
    count: all.length,
    folds,
    within: executed.filter(({ isWithin }) => isWithin).length,
    worstShare: shareOf(sorted[0]),
    medianShare: shareOf(sorted[sorted.length >> 1]),
    error: sorted[0].error,
    bound: sorted[0].bound,
  };
}
