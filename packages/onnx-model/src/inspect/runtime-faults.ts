import type { Match } from "../find/match.ts";
import type { Analysis } from "../find/matches.ts";
import { isOperator, producerOf, resolve, usesOf } from "../graph/scope.ts";
import { origin } from "../graph/trace.ts";

/** A node that a runtime or tool is known to compute wrongly. */
export interface RuntimeFault {
  readonly sentence: string;
  readonly reference: string | null;
}

/** The first opset whose node has `training_mode` and outputs for the running statistics. */
const FIRST_TRAINING_MODE = 14;

/** The known faults of runtimes and tools that concern a layer. Each was seen by running it. */
export function runtimeFaults(analysis: Analysis, match: Match): RuntimeFault[] {
  if (match.form !== "BatchNormalization" || match.mode !== "training") return [];
  const faults: RuntimeFault[] = [];
  const [node] = match.nodes;
  if (match.scope.opset >= FIRST_TRAINING_MODE) {
    if (mergesConstants(analysis, match)) {
      faults.push({
        sentence:
          "onnxruntime up to 1.32 and onnxruntime-web up to 1.30 merge the layer's equal arrays, and its unused running outputs then overwrite them: " +
          "the result is wrong unless the arrays differ, optimization is disabled, or the running statistics are outputs of the graph.",
        reference: "https://github.com/microsoft/onnxruntime/issues/29790",
      });
    }
    if (node.output.slice(1).every((name) => name === "")) {
      faults.push({ sentence: "onnxruntime-web 1.30 on webgl takes the layer for inference, since it has one output.", reference: null });
    }
  } else if (node.output[4] && isRead(match, node.output[4])) {
    faults.push({ sentence: "onnxruntime gives 1 / sqrt(variance + epsilon) as saved variance, the fifth output.", reference: null });
  }
  const x = resolve(match.scope, match.input);
  const before = x && producerOf(x);
  if (before !== null && isOperator(before, "Conv", "Gemm") && usesOf(x!).length === 1) {
    faults.push({
      sentence: `onnxscript 0.7.2's optimizer folds the layer into its ${before.opType} as if it were inference.`,
      reference: null,
    });
  }
  return faults;
}

function isRead({ scope }: Match, name: string): boolean {
  return scope.outputs.has(name) || usesOf({ scope, name }).length > 0;
}

/**
 * Whether two arrays that an in-place output may write to are equal: of this layer or of another one in training mode.
 * They are merged then, unless the running outputs are read, which keeps the runtime from writing in place.
 */
function mergesConstants({ matches }: Analysis, match: Match): boolean {
  const [node] = match.nodes;
  const running = node.output.slice(1).filter((name) => name !== "");
  if (running.length === 0 || running.some((name) => isRead(match, name))) return false;
  const written = (["movingMean", "movingVariance"] as const).map((name) => match.sources[name]);
  const others = matches.flatMap(({ sources }) => Object.values(sources));
  return written.some((source) => {
    const values = source?.constant?.read();
    if (!source || !values) return false;
    return others.some((other) => {
      const isItself = origin(other.value).value.name === origin(source.value).value.name;
      const same = other === source || isItself ? null : other.constant?.read();
      return same?.length === values.length && values.every((value, c) => value === same[c]);
    });
  });
}
