import type { Bounds } from "../accuracy/bounds.ts";
import { type Comparison, compare, type Miss, type Worst, worse } from "../accuracy/compare.ts";
import type { Outputs, Step } from "../vectors/case.ts";
import { OUTPUTS, type OutputName } from "../vectors/format.ts";
import type { FloatDType } from "../vectors/half.ts";
import type { Failure } from "./check.ts";

/** Holds the outputs of one step against its truth. An output that was not read is not judged. */
export function measure(step: Step, index: number, outputs: Outputs, bounds: Bounds): Comparison {
  let worst: Worst | null = null;
  const misses: Miss[] = [];
  let missed = 0;
  for (const name of OUTPUTS) {
    const [truth, bound, got] = [step.truth[name], bounds[name], outputs[name]];
    if (truth === null || bound === null || got === null) continue;
    const compared = compare(name, index, got, truth, bound, dtypeOf(step, name));
    worst = worse(worst, compared.worst);
    misses.push(...compared.misses);
    missed += compared.missed;
  }
  return { worst, misses, missed };
}

/** y and dx have the dtype of x, everything else is float32 (clause 13.3). */
export function dtypeOf({ dtype }: Pick<Step, "dtype">, output: OutputName): FloatDType {
  return output === "y" || output === "dx" ? (dtype ?? "float32") : "float32";
}

/** One wrong number in words. */
export function describeMiss({ clause, steps }: { readonly clause: string; readonly steps: readonly Step[] }, miss: Miss): Failure {
  const { output, step, index, expected, got, bound, ulp, share } = miss;
  const shape = output === "y" || output === "dx" ? steps[step].shape : [steps[step].truth[output]?.length ?? 0];
  const position = unravel(index, shape);
  const error = Number.isFinite(ulp)
    ? `; the error is ${ulp.toPrecision(3)} ULP, ${share.toPrecision(3)} times the bound ${bound.toPrecision(3)}`
    : "";
  const message = `clause ${clause}, step ${step}, ${output}[${position}]: expected ${expected}, got ${got}${error}.`;
  return { message, output, step, position, expected, got, bound, ulp, share };
}

/** The index of an element on every axis. */
export function unravel(index: number, shape: readonly number[]): number[] {
  const position: number[] = [];
  let rest = index;
  for (const dimension of [...shape].reverse()) {
    position.unshift(rest % dimension);
    rest = Math.floor(rest / dimension);
  }
  return position;
}
