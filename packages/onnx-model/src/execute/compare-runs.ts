import { BatchNormError, sameShape } from "@batchnorm/spec";
import type { OnnxModel } from "../file/model.ts";
import { analysed, Execution } from "./execution.ts";
import type { Feeds, Runtime, SessionOptions, Values } from "./runtime.ts";

/** A model on a runtime, with inputs: its tensors are that runtime's. */
export interface Run {
  readonly model: OnnxModel;
  readonly ort: Runtime;
  readonly inputs: Feeds;
  readonly executionProviders?: NonNullable<SessionOptions["executionProviders"]>;
  readonly sessionOptions?: SessionOptions;
}

/** A value that two runs both have: what a layer gave, or an output of the model. */
export interface ComparedValue {
  readonly kind: "layer" | "output";
  /** The name of the layer or of the output. */
  readonly name: string;
  readonly shapes: readonly [readonly number[], readonly number[]];
  /** The largest |a - b|; infinite where one of them is not finite, or the shapes differ. */
  readonly difference: number;
  /** The largest magnitude in the first run, of finite elements. */
  readonly largest: number;
  /** Where the difference is largest, counted from 0, and what is there; null where nothing differs. */
  readonly worst: { readonly index: number; readonly values: readonly [number, number] } | null;
}

export interface CompareResult {
  /** Layers in the order of the first model, then outputs. */
  readonly values: readonly ComparedValue[];
  /** Layers and outputs that only one of the two has. */
  readonly missing: readonly string[];
  /** Whether every output differs by at most `tolerance` times its largest magnitude; null without a tolerance. */
  readonly passed: boolean | null;
}

/**
 * Runs two models on the same inputs, or one on two runtimes, and says where they differ. There is no derived bound for a
 * whole model: how much is too much is the caller's.
 *
 * @throws BatchNormError `invalid-argument` for models that have no value in common, what `verify` throws.
 */
export async function compareRuns(a: Run, b: Run, tolerance: number | null = null): Promise<CompareResult> {
  const [first, second] = [await valuesOf(a), await valuesOf(b)];
  const common = [...first.keys()].filter((key) => second.has(key));
  if (common.length === 0) {
    throw new BatchNormError("invalid-argument", "The models have no layer and no output in common", keysOf(second), keysOf(first));
  }
  const values = common.map((key) => compareValue(first.get(key)!, second.get(key)!));
  const missing = [...first, ...second].filter(([key]) => !common.includes(key)).map(([, { kind, name }]) => `${kind} ${name}`);
  const outputs = values.filter(({ kind }) => kind === "output");
  const isWithin = ({ difference, largest }: ComparedValue): boolean => difference <= (tolerance ?? 0) * largest;
  return { values, missing, passed: tolerance === null ? null : outputs.every(isWithin) };
}

interface RunValue {
  readonly kind: ComparedValue["kind"];
  readonly name: string;
  readonly values: Values;
}

async function valuesOf({ model, ort, inputs, executionProviders, sessionOptions }: Run): Promise<ReadonlyMap<string, RunValue>> {
  const subject = await analysed(model);
  const { matches, names, root } = subject.analysis;
  const wanted = new Map<string, { kind: "layer" | "output"; name: string; value: string }>();
  for (const [k, { scope, output }] of matches.entries()) {
    if (scope.kind === "graph") wanted.set(`layer ${names[k]}`, { kind: "layer", name: names[k], value: output });
  }
  // By their place: two exporters rarely call an output the same.
  for (const [k, name] of [...root.outputs].entries()) wanted.set(`output ${k}`, { kind: "output", name, value: name });
  const options = { ...sessionOptions, ...(executionProviders && { executionProviders }) };
  const taps = [...wanted.values()].map(({ value }) => value);
  const execution = await Execution.open(subject, ort, taps, { whole: true, options });
  try {
    const results = await execution.run(inputs);
    const found = new Map<string, RunValue>();
    for (const [key, { kind, name, value }] of wanted) {
      const values = results.get(value);
      if (values !== undefined && values !== null) found.set(key, { kind, name, values });
    }
    return found;
  } finally {
    await execution.close();
  }
}

function compareValue(a: RunValue, b: RunValue): ComparedValue {
  const { kind, name } = a;
  const shapes = [a.values.shape, b.values.shape] as const;
  const [left, right] = [a.values.data, b.values.data];
  let largest = 0;
  for (const value of left) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  if (!sameShape(...shapes)) return { kind, name, shapes, difference: Number.POSITIVE_INFINITY, largest, worst: null };
  let difference = 0;
  let worst: ComparedValue["worst"] = null;
  for (let index = 0; index < left.length; index++) {
    if (Object.is(left[index], right[index])) continue;
    const distance = Math.abs(left[index] - right[index]);
    // A NaN is further off than anything.
    const each = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
    if (each <= difference) continue;
    difference = each;
    worst = { index, values: [left[index], right[index]] };
  }
  return { kind, name, shapes, difference, largest, worst };
}

function keysOf(values: ReadonlyMap<string, RunValue>): string {
  return [...values.values()].map(({ kind, name }) => `${kind} ${name}`).join(", ") || "nothing";
}
