import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { find, fold, type OnnxModel, readModel, writeModel } from "@batchnorm/onnx-model";
import * as ort from "onnxruntime-node";
import { simplify } from "onnxsim";
import { analyse } from "../../../packages/onnx-model/src/find/matches.ts";
import { allScopes } from "../../../packages/onnx-model/src/graph/build-scopes.ts";
import type { Scope } from "../../../packages/onnx-model/src/graph/scope.ts";
import type { KnownModel } from "../../../packages/onnx-model/test/fixtures.ts";
import { bytesOf, modelOf } from "../../../packages/onnx-model/test/fixtures.ts";
import { differenceOf } from "./runs.ts";

/**
 * What became of a model's layers: how many are gone, how far the result is from the original, or why there is none.
 */
export interface Outcome {
  readonly folded: number;
  readonly difference: number;
  readonly failure: string | null;
}

export interface FormRow {
  readonly form: string;
  /** Layers that the model's maker put into the file, and that are found. */
  readonly layers: number;
  readonly found: number;
  readonly ours: Outcome;
  /** Why layers stayed. */
  readonly reasons: readonly string[];
  readonly onnxruntime: Outcome;
  readonly onnxsim: Outcome;
}

export async function formRow(form: string, known: KnownModel): Promise<FormRow> {
  const model = modelOf(known);
  const { layers } = await find(model);
  const { model: folded, report } = await fold(model);
  return {
    form,
    layers: known.layers.filter((layer) => layer.form !== "folded").length,
    found: layers.length,
    ours: await outcome(known, model, layers.length, async () => writeModel(folded)),
    reasons: [...new Set(report.kept.map(({ code }) => code))],
    onnxruntime: await outcome(known, model, layers.length, () => optimize(known)),
    onnxsim: await outcome(known, model, layers.length, async () => (await quietly(() => simplify(Uint8Array.from(bytesOf(known))))).model),
  };
}

async function outcome(known: KnownModel, original: OnnxModel, found: number, make: () => Promise<Uint8Array>): Promise<Outcome> {
  try {
    const bytes = await make();
    const model = readModel(bytes);
    const { layers } = await find(model);
    // A layer that a tool only made harder to recognize is still computed: a scale of the data has to be gone with it.
    const folded = Math.min(found - layers.length, scalesOf(original) - scalesOf(model));
    return { folded, difference: await differenceOf(original, bytes, known), failure: null };
  } catch (error) {
    return { folded: 0, difference: 0, failure: error instanceof Error ? error.message : String(error) };
  }
}

/** How many nodes scale data: layers as such, and products with what is not a constant. */
function scalesOf({ proto, external }: OnnxModel): number {
  const { root, context } = analyse(proto, external);
  const isScale = (scope: Scope, { opType, input }: Scope["nodes"][number]): boolean =>
    opType === "BatchNormalization" ||
    ((opType === "Mul" || opType === "Div") && input.some((name) => context.constants.get(scope, name) === null));
  return [...allScopes(root)].reduce((sum, scope) => sum + scope.nodes.filter((node) => isScale(scope, node)).length, 0);
}

/** onnxruntime's own optimization, level basic, which folds; the levels above only fuse for its own kernels. */
async function optimize(known: KnownModel): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "models-report-"));
  const path = join(folder, "optimized.onnx");
  try {
    const options = { graphOptimizationLevel: "basic", optimizedModelFilePath: path, logSeverityLevel: 3 } as const;
    const session = await ort.InferenceSession.create(bytesOf(known), options);
    await session.release();
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** onnxsim tells what it does on the console. */
export async function quietly<Result>(action: () => Promise<Result>): Promise<Result> {
  const { log, warn } = console;
  console.log = console.warn = () => undefined;
  try {
    return await action();
  } finally {
    console.log = log;
    console.warn = warn;
  }
}
