import { channelView, elementsPerChannel, resolveAxis, type Supports } from "@batchnorm/spec";
import { type Bounds, caseBounds } from "../accuracy/bounds.ts";
import { compare, type Miss, type Worst, worse } from "../accuracy/compare.ts";
import type { Accuracy } from "../accuracy/constants.ts";
import type { Case, Outputs, Step } from "../vectors/case.ts";
import { OUTPUTS } from "../vectors/format.ts";
import { type AnyBackend, type Check, type CheckKind, type Failure, KEPT_FAILURES, type Outcome } from "./check.ts";
import { executeCase } from "./execute.ts";
import { traitsOf } from "./traits.ts";

/** A case as a check: the backend against the truth, within the derived bounds, with the reference framework beside it. */
export function caseCheck(each: Case, kind: CheckKind = "vector"): Check {
  // Once for all backends that are held against this check.
  const bounds = remembered((accuracy: Accuracy) => caseBounds(each, accuracy));
  const reference = remembered(() => measureReference(each, bounds(REFERENCE_ACCURACY)));
  return {
    id: each.id,
    kind,
    clause: each.clause,
    case: each,
    traits: traitsOf(each),
    skip: (supports) => skipReason(each, supports),
    run: async (backend) => ({ ...(await runCase(each, backend, bounds(backend.supports))), reference: reference(REFERENCE_ACCURACY) }),
  };
}

/** Runs a case within these bounds; also what the property tests run on their random cases. */
export async function runCase(
  each: Case,
  backend: AnyBackend,
  bounds: readonly Bounds[] = caseBounds(each, backend.supports),
): Promise<Outcome> {
  const executed = await executeCase(backend, each);
  const violations: Failure[] = [];
  const misses: Miss[] = [];
  let worst: Worst | null = null;
  executed.forEach(({ outputs, violations: found }, index) => {
    const measured = measure(each.steps[index], index, outputs, bounds[index]);
    worst = worse(worst, measured.worst);
    violations.push(...found.map((message) => ({ message: `clause ${each.clause}, step ${index}: ${message}`, step: index })));
    for (const miss of measured.misses) misses.push(miss);
  });
  return {
    failures: [...violations, ...telling(misses).map((miss) => describeMiss(each, miss))],
    failureCount: violations.length + misses.length,
    worst,
    reference: null,
    outputs: executed.map(({ outputs }) => outputs),
  };
}

/** Of every output the first misses and the worst one, in the order of the steps. */
function telling(misses: readonly Miss[]): Miss[] {
  const counts = new Map<string, number>();
  const worst = new Map<string, Miss>();
  for (const miss of misses) if (!(miss.share <= (worst.get(miss.output)?.share ?? 0))) worst.set(miss.output, miss);
  return misses.filter((miss) => {
    const count = (counts.get(miss.output) ?? 0) + 1;
    counts.set(miss.output, count);
    return count <= KEPT_FAILURES || worst.get(miss.output) === miss;
  });
}

/** What a function gives for each manifest, computed when it is first asked for. */
function remembered<Value>(compute: (accuracy: Accuracy) => Value): (accuracy: Accuracy) => Value {
  const known = new Map<string, Value>();
  return ({ accumulation, subnormals }) => {
    const key = `${accumulation} ${subnormals}`;
    if (!known.has(key)) known.set(key, compute({ accumulation, subnormals }));
    return known.get(key)!;
  };
}

/** Keras and PyTorch sum in float32. */
const REFERENCE_ACCURACY: Accuracy = { accumulation: "float32", subnormals: "preserved" };

/** The flag of cases in which Keras means to do something else than the spec. */
const DEVIATES = "keras-deviates";

/** How far the reference framework itself is from the truth, as a share of the bounds of a float32 accumulator. */
function measureReference(each: Case, bounds: readonly Bounds[]): Outcome["reference"] {
  const { reference, steps, flags } = each;
  if (reference === null || flags.includes(DEVIATES)) return null;
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
  const axisOf = (step: Step): number => resolveAxis(config.axis, step.shape.length);
  if (supports.axes === "last" && steps.some((step) => axisOf(step) !== step.shape.length - 1)) return "only the last axis is supported";
  const elements = Math.min(
    ...steps.filter(({ batch }) => batch !== null).map((step) => elementsPerChannel(channelView(step.shape, config.axis))),
  );
  if (elements < supports.minElements)
    return `training on ${elements} elements per channel is not supported (minElements ${supports.minElements})`;
  if (supports.maxRank !== null && rank > supports.maxRank) return `rank ${rank} is not supported (maxRank ${supports.maxRank})`;
  if (!supports.varianceEstimators.includes(config.varianceEstimator))
    return `varianceEstimator '${config.varianceEstimator}' is not supported`;
  if (!supports.training && steps.some((step) => step.batch !== null)) return "training is not supported";
  if (!supports.gradients && steps.some((step) => step.dy !== null)) return "gradients are not supported";
  if (!supports.masks && steps.some((step) => step.mask !== null)) return "masks are not supported";
  if (!supports.nonFinite.includes("propagate") && !steps.every((step) => finite(step.x))) return "NaN and infinity do not propagate";
  return null;
}
