import { type Bounds, caseBounds } from "../accuracy/bounds.ts";
import { type Miss, timesReference, type Worst, worse } from "../accuracy/compare.ts";
import type { Accuracy } from "../accuracy/constants.ts";
import type { Case, Outputs } from "../vectors/case.ts";
import { OUTPUTS } from "../vectors/format.ts";
import { type AnyBackend, type Check, type CheckKind, type Failure, type Outcome, telling } from "./check.ts";
import { executeCase } from "./execute.ts";
import { describeMiss, dtypeOf, measure } from "./measure.ts";
import { outlineOf, whySkipped } from "./outline.ts";
import { caseTraits } from "./traits.ts";

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
    traits: caseTraits(each),
    skip: (supports) => whySkipped(outlineOf(each), supports),
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
  let missed = 0;
  let worst: Worst | null = null;
  executed.forEach(({ outputs, violations: found }, index) => {
    const measured = measure(each.steps[index], index, outputs, bounds[index]);
    worst = worse(worst, measured.worst);
    violations.push(...found.map((message) => ({ message: `clause ${each.clause}, step ${index}: ${message}`, step: index })));
    misses.push(...measured.misses);
    missed += measured.missed;
  });
  return {
    failures: [...violations, ...telling(misses.map((miss) => describeMiss(each, miss)))],
    failureCount: violations.length + missed,
    worst,
    reference: null,
    ...largest(executed.map(({ outputs }, index) => timesTheReference(each, index, outputs))),
    outputs: executed.map(({ outputs }) => outputs),
  };
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
      return truth === null || got === null || own === null ? 0 : timesReference(got, own, truth, dtypeOf(steps[index], name));
    }),
  );
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
