import type { Supports } from "@batchnorm/spec";
import { type Bounds, caseBounds } from "../accuracy/bounds.ts";
import { compare, type Miss, timesReference, type Worst, worse } from "../accuracy/compare.ts";
import type { Accuracy } from "../accuracy/constants.ts";
import type { Case, Outputs, Step } from "../vectors/case.ts";
import { OUTPUTS } from "../vectors/format.ts";
import { type AnyBackend, type Check, type CheckKind, type Failure, KEPT_FAILURES, type Outcome } from "./check.ts";
import { executeCase } from "./execute.ts";

/** A case as a check: the backend against the truth, within the derived bounds, with the reference framework beside it. */
export function caseCheck(each: Case, kind: CheckKind = "vector"): Check {
  return {
    id: each.id,
    kind,
    clause: each.clause,
    skip: (supports) => skipReason(each, supports),
    run: (backend) => runCase(each, backend),
  };
}

/** Runs a case; also what the property tests run on their random cases. */
export async function runCase(each: Case, backend: AnyBackend): Promise<Outcome> {
  const bounds = caseBounds(each, backend.supports);
  const executed = await executeCase(backend, each);
  const failures: Failure[] = [];
  let failureCount = 0;
  let worst: Worst | null = null;
  executed.forEach(({ outputs, violations }, index) => {
    const measured = measure(each.steps[index], index, outputs, bounds[index]);
    worst = worse(worst, measured.worst);
    const found = [
      ...violations.map((message): Failure => ({ message: `clause ${each.clause}, step ${index}: ${message}`, step: index })),
      ...measured.misses.map((miss) => describeMiss(each, miss)),
    ];
    failureCount += found.length;
    failures.push(...found.slice(0, KEPT_FAILURES - failures.length));
  });
  const times = executed.map(({ outputs }, index) => timesTheReference(each, index, outputs));
  return { failures, failureCount, worst, reference: measureReference(each), ...largest(times) };
}

function largest(times: readonly (number | null)[]): Pick<Outcome, "timesReference"> {
  const known = times.filter((each) => each !== null);
  return known.length === 0 ? {} : { timesReference: Math.max(...known) };
}

/** The worst output of a step; null where no framework is to compare with. */
function timesTheReference({ reference, steps, flags }: Case, index: number, outputs: Outputs): number | null {
  const results = reference === null || flags.includes(DEVIATES) ? undefined : steps[index].results[reference];
  if (results === undefined) return null;
  return Math.max(
    ...OUTPUTS.map((name) => {
      const [truth, got, own] = [steps[index].truth[name], outputs[name], results[name]];
      return truth === null || got === null || own === null ? 0 : timesReference(got, own, truth);
    }),
  );
}

/** Keras and PyTorch sum in float32. */
const REFERENCE_ACCURACY: Accuracy = { accumulation: "float32", subnormals: "preserved" };

/** The flag of cases in which Keras means to do something else than the spec. */
const DEVIATES = "keras-deviates";

/** How far the reference framework itself is from the truth, as a share of the bounds of a float32 accumulator. */
function measureReference(each: Case): Outcome["reference"] {
  const { reference, steps, flags } = each;
  if (reference === null || flags.includes(DEVIATES)) return null;
  const bounds = caseBounds(each, REFERENCE_ACCURACY);
  let worst: Worst | null = null;
  steps.forEach((step, index) => {
    const outputs = step.results[reference];
    if (outputs !== undefined) worst = worse(worst, measure(step, index, outputs, bounds[index]).worst);
  });
  return worst && { framework: reference, ...(worst as Worst) };
}

function measure(step: Step, index: number, outputs: Outputs, bounds: Bounds): { worst: Worst | null; misses: Miss[] } {
  let worst: Worst | null = null;
  const misses: Miss[] = [];
  for (const name of OUTPUTS) {
    const [truth, bound, got] = [step.truth[name], bounds[name], outputs[name]];
    if (truth === null || bound === null || got === null) continue;
    const compared = compare(name, index, got, truth, bound);
    worst = worse(worst, compared.worst);
    misses.push(...compared.misses);
  }
  return { worst, misses };
}

function describeMiss({ clause, steps }: Case, miss: Miss): Failure {
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
function unravel(index: number, shape: readonly number[]): number[] {
  const position: number[] = [];
  let rest = index;
  for (const dimension of [...shape].reverse()) {
    position.unshift(rest % dimension);
    rest = Math.floor(rest / dimension);
  }
  return position;
}

/** What the case needs and the manifest does not have. */
function skipReason({ config, steps }: Case, supports: Supports): string | null {
  const rank = Math.max(...steps.map((step) => step.shape.length));
  const finite = (values: Float32Array): boolean => values.every(Number.isFinite);
  if (supports.maxRank !== null && rank > supports.maxRank) return `rank ${rank} is not supported (maxRank ${supports.maxRank})`;
  if (!supports.varianceEstimators.includes(config.varianceEstimator))
    return `varianceEstimator '${config.varianceEstimator}' is not supported`;
  if (!supports.training && steps.some((step) => step.batch !== null)) return "training is not supported";
  if (!supports.gradients && steps.some((step) => step.dy !== null)) return "gradients are not supported";
  if (!supports.masks && steps.some((step) => step.mask !== null)) return "masks are not supported";
  if (!supports.nonFinite.includes("propagate") && !steps.every((step) => finite(step.x))) return "NaN and infinity do not propagate";
  return null;
}
