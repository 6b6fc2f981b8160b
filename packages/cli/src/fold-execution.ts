import { type FoldOptions, type FoldResult, fold, type OnnxModel } from "@batchnorm/onnx-model";
import { type Runtime, type VerifyFoldResult, verifyFold } from "@batchnorm/onnx-model/execute";
import { isBatchNormError } from "@batchnorm/spec";
import { type InputOptions, inputsFor } from "./input-options.ts";
import { loadRuntime } from "./runtime.ts";

/** What the execution of the folds showed, or why there was none. */
export type FoldExecution = (Omit<VerifyFoldResult, keyof FoldResult> & { readonly runtime: string }) | { readonly why: string };

/** Runtimes by a provider that each has: the one for Node first, since it is the faster one. */
const RUNTIMES = { "onnxruntime-node": "cpu", "onnxruntime-web": "wasm" } as const;

/**
 * Folds a model and executes the folds. Without a runtime, or with one that does not run the model, it is folded all
 * the same, and the result says that nothing was executed.
 *
 * @param load gives the runtime of a provider.
 */
export async function foldAndExecute(
  model: OnnxModel,
  options: FoldOptions,
  inputs: InputOptions,
  load: (provider: string) => Promise<Runtime> = loadRuntime,
): Promise<{ readonly result: FoldResult; readonly execution: FoldExecution }> {
  const runtime = await anyRuntime(load);
  if (runtime === null)
    return unexecuted(model, options, "neither onnxruntime-node nor onnxruntime-web is installed beside @batchnorm/cli");
  try {
    const feeds = await inputsFor(model, runtime.ort, inputs);
    const provider = RUNTIMES[runtime.name];
    const {
      model: folded,
      report,
      ...rest
    } = await verifyFold(model, { ...options, ort: runtime.ort, inputs: feeds, executionProviders: [provider] });
    return { result: { model: folded, report }, execution: { runtime: runtime.name, ...rest } };
  } catch (error) {
    // Random numbers of a shape that was guessed may not be what the model takes; data that somebody gave is.
    const isGuessed = inputs.input === undefined && inputs.shape === undefined;
    if (!isGuessed || !isBatchNormError(error) || (error.code !== "runtime-failure" && error.code !== "unsupported")) throw error;
    return unexecuted(model, options, `${error.code}: ${error.message} --input or --shape give it inputs that it takes.`);
  }
}

async function unexecuted(model: OnnxModel, options: FoldOptions, why: string): Promise<{ result: FoldResult; execution: FoldExecution }> {
  return { result: await fold(model, options), execution: { why } };
}

async function anyRuntime(load: (provider: string) => Promise<Runtime>): Promise<{ name: keyof typeof RUNTIMES; ort: Runtime } | null> {
  for (const name of ["onnxruntime-node", "onnxruntime-web"] as const) {
    try {
      return { name, ort: await load(RUNTIMES[name]) };
    } catch (error) {
      if (!isBatchNormError(error) || error.code !== "unsupported") throw error;
    }
  }
  return null;
}
