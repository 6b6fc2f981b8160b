import type { OnnxModel } from "../file/model.ts";
import { type FoldOptions, type FoldResult, foldInPasses } from "../fold/fold.ts";
import { type ExecutedFold, executePass, type UnexecutedFold } from "./execute-folds.ts";
import { analysed, Execution } from "./execution.ts";
import { type OutputDifference, outputDifferences } from "./output-differences.ts";
import { type Feeds, type Runtime, type SessionOptions, type Values, valuesOf } from "./runtime.ts";

export interface VerifyFoldOptions extends FoldOptions {
  readonly ort: Runtime;
  /** The inputs of the run. `randomInputs` makes some. */
  readonly inputs: Feeds;
  /** Where the runtime executes, such as `["cpu"]` or `["wasm"]`. Default: the runtime's own. */
  readonly executionProviders?: NonNullable<SessionOptions["executionProviders"]>;
}

export interface VerifyFoldResult extends FoldResult {
  /** Whether every fold was executed, and no channel of any is beyond its bound. */
  readonly passed: boolean;
  readonly executed: readonly ExecutedFold[];
  readonly unexecuted: readonly UnexecutedFold[];
  /**
   * How far the outputs of the folded model are from the original's in this run. There is no bound for these: what a
   * rounding becomes on its way through the nodes behind it depends on them.
   */
  readonly outputs: readonly OutputDifference[];
  /** With `float16`, how far the outputs of the converted model are from those of the folded one; null without. */
  readonly float16Outputs: readonly OutputDifference[] | null;
}

/**
 * Folds a model as `fold` does, and executes every fold: the nodes that it replaced and those it made, cut out of the
 * two models, on the same input, without the runtime's optimizations. The difference has a derived bound (`FoldBound`).
 * The input is what the node reads when the whole model runs on `inputs`. Then both models are run as a whole.
 *
 * @throws BatchNormError what `fold` throws; `invalid-argument` for a missing input, `runtime-failure` for a model that
 * the runtime does not run.
 */
export async function verifyFold(model: OnnxModel, options: VerifyFoldOptions): Promise<VerifyFoldResult> {
  const { ort, inputs, executionProviders, ...foldOptions } = options;
  const result = await foldInPasses(model, foldOptions);
  const { passes, float32, report } = result;
  const session: SessionOptions = executionProviders === undefined ? {} : { executionProviders };
  const original = await analysed(model);
  const { root } = original.analysis;
  const graphOutputs = [...root.outputs];
  const taps = passes.flatMap(({ folds }) => folds.map(({ input }) => input)).filter(({ scope }) => scope.kind === "graph");
  const names = new Set(taps.map(({ name }) => name).filter((name) => root.producers.has(name) || root.given.has(name)));
  const run = await Execution.runOnce(original, ort, [...names, ...graphOutputs], inputs, session);
  const executed: ExecutedFold[] = [];
  const unexecuted: UnexecutedFold[] = [];
  for (const pass of passes) {
    const values = pass.folds.map(({ input }) => (input.scope.kind === "graph" ? valuesIn(run, input.name) : null));
    for (const each of await executePass(model, pass, values, inputs, ort, session)) {
      if ("code" in each) unexecuted.push(each);
      else executed.push(each);
    }
  }
  const runWhole = async (whole: OnnxModel): Promise<Feeds> => Execution.runOnce(await analysed(whole), ort, graphOutputs, inputs, session);
  const folded = await runWhole(float32);
  return {
    model: result.model,
    report,
    passed: unexecuted.length === 0 && executed.every(({ isWithin }) => isWithin),
    executed,
    unexecuted,
    outputs: outputDifferences(graphOutputs, run, folded),
    float16Outputs: report.float16 === null ? null : outputDifferences(graphOutputs, folded, await runWhole(result.model)),
  };
}

function valuesIn(run: Feeds, name: string): Values | null {
  const tensor = run[name];
  return tensor === undefined ? null : valuesOf(tensor);
}
