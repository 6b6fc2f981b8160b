import { type Accuracy, type Bounds, type Case, caseBounds, compare, type Outputs, type Step } from "@batchnorm/conformance";
import { decideMode, maskShape, sizeOf } from "@batchnorm/spec";
import { momentsOf } from "@batchnorm/spec/moments";
import type { Deed, Sequence } from "./deeds.ts";
import { elements, initialStateOf, maskBytes, type Outcome } from "./run-deeds.ts";

/** What came of a sequence, and how exactly it was computed. */
export interface Run {
  readonly outcomes: readonly Outcome[];
  readonly accuracy: Accuracy;
}

type OutputName = keyof Outputs;

/**
 * The first difference between two runs of one sequence, in words; null for none. Refusals have to have the same code, numbers
 * may differ by the bounds of both (docs/spec.md, section 12). The reference read its state after every call.
 */
export function firstDifference({ config, seed, deeds }: Sequence, reference: Run, found: Run): string | null {
  let state = initialStateOf(config, seed);
  let steps: Step[] = [];
  let parameters: Step["parameters"] = null;
  let trainable = config.trainable;

  for (const [index, deed] of deeds.entries()) {
    const wanted = reference.outcomes[index];
    const got = found.outcomes[index];
    const where = `deed ${index}, ${deed.kind}${deed.kind === "misuse" ? ` ${deed.which}` : ""}`;
    if (wanted.code !== got.code) return `${where}: the reference answered ${wanted.code}, the backend ${got.code}`;
    if (wanted.code !== "ok") continue;
    const judge = (last: Step, names: readonly OutputName[], outputs: Partial<Outputs>): string | null => {
      const history: Case = { ...NO_CASE, config: { ...config, nonFinite: "propagate" }, state, steps: [...steps.slice(0, -1), last] };
      const bounds = [reference, found].map(({ accuracy }) => caseBounds(history, accuracy)[steps.length - 1]);
      return names.map((name) => outside(name, last, outputs, bounds)).find((each) => each !== null) ?? null;
    };
    let difference: string | null = null;
    switch (deed.kind) {
      case "call":
        steps.push(stepOf(deed, config, trainable, parameters, wanted));
        parameters = null;
        difference = judge(steps[steps.length - 1], ["y"], got.outputs);
        break;
      case "backward": {
        const last = steps[steps.length - 1];
        const truth = { ...last.truth, ...inFloat64(wanted.outputs) };
        difference = judge({ ...last, dy: elements(deed.dy, last.shape), truth }, ["dx", "dgamma", "dbeta"], got.outputs);
        break;
      }
      case "set-parameters":
        ({ parameters } = initialStateOf(config, deed.seed));
        break;
      case "set-state":
        state = initialStateOf(config, deed.seed);
        steps = [];
        parameters = null;
        break;
      case "state": {
        const [ours, theirs] = [wanted.state!, got.state!];
        if (String(Object.values(ours.parameters)) !== String(Object.values(theirs.parameters))) difference = "other parameters";
        else if (steps.length > 0) difference = judge(steps[steps.length - 1], ["movingMean", "movingVariance"], theirs.statistics);
        else if (String(Object.values(ours.statistics)) !== String(Object.values(theirs.statistics))) difference = "other statistics";
        break;
      }
      case "freeze":
      case "unfreeze":
        trainable = deed.kind === "unfreeze";
        break;
      default:
        break;
    }
    if (difference !== null) return `${where}: ${difference}`;
  }
  return null;
}

const NO_CASE = { id: "", clause: "", flags: [], reference: null };

function stepOf(
  { shape, x: drawn, mask: kind, training }: Deed & { readonly kind: "call" },
  { axis }: Sequence["config"],
  trainable: boolean,
  parameters: Step["parameters"],
  { outputs, state }: Outcome,
): Step {
  const x = elements(drawn, shape);
  const places = maskShape(shape, axis);
  const mask = kind === null ? null : maskBytes(kind, sizeOf(places));
  const seen = momentsOf({ data: x, shape }, axis, mask && { data: mask, shape: places });
  const ofBatch = decideMode(training, trainable).normalizeWith === "batch" && seen.count > 0;
  const batch = ofBatch ? { mean: seen.mean, variance: seen.centeredSum.map((sum) => sum / seen.count) } : null;
  const truth = { ...NOTHING, ...inFloat64({ ...outputs, ...state!.statistics }) };
  return { training, trainable, parameters, shape, x, mask, dy: null, truth, batch, results: {} };
}

const NOTHING: Step["truth"] = { y: null, movingMean: null, movingVariance: null, dx: null, dgamma: null, dbeta: null };

function inFloat64(outputs: Partial<Outputs>): Partial<Step["truth"]> {
  return Object.fromEntries(Object.entries(outputs).map(([name, values]) => [name, values && Float64Array.from(values)]));
}

/** An output that lies further from the reference's than both may err. */
function outside(name: OutputName, { truth }: Step, outputs: Partial<Outputs>, bounds: readonly Bounds[]): string | null {
  const wanted = truth[name];
  const got = outputs[name] ?? null;
  if (wanted === null || got === null) return wanted === got ? null : `${name} is ${got === null ? "absent" : "there"}`;
  if (wanted.length !== got.length) return `${name} has ${got.length} elements, the reference ${wanted.length}`;
  const [ours, theirs] = bounds.map((each) => each[name]!);
  const { misses } = compare(
    name,
    0,
    got,
    wanted,
    ours.map((bound, k) => bound + theirs[k]),
  );
  if (misses.length === 0) return null;
  const [{ index, expected, bound }] = misses;
  return `${name}[${index}] is ${got[index]}, of the reference ${expected}; they may differ by ${bound.toPrecision(3)}`;
}
