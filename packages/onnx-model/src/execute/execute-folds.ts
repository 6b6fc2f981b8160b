import { channelView } from "@batchnorm/spec";
import { complete } from "../file/complete.ts";
import { type OnnxModel, writeModel } from "../file/model.ts";
import { ElementTypes } from "../float16/element-types.ts";
import { boundFor } from "../fold/bound.ts";
import type { Fold, FoldPass } from "../fold/fold.ts";
import { Constants } from "../graph/constants.ts";
import { ElementType } from "../proto/index.ts";
import { elementTypeInfo } from "../tensor/element-type.ts";
import { inlineData } from "./inline-data.ts";
import { normals } from "./random-inputs.ts";
import { type Feeds, openSession, type Runtime, runSession, type SessionOptions, type Values, valuesOf } from "./runtime.ts";
import { endsOfSegment, type Segment, segmentsModel } from "./segments.ts";

/** A fold that was executed: the original's nodes and the folded one's on the same input. */
export interface ExecutedFold {
  readonly layer: string;
  readonly node: string;
  /**
   * `run`: what the node read when the model ran on the inputs; `made-up`: normally distributed, where that cannot be
   * had.
   */
  readonly input: "run" | "made-up";
  readonly largestInput: number;
  readonly elements: number;
  /** The channel of the folded node whose difference is the largest share of its bound. */
  readonly channel: number;
  /** How far the two are apart there at most, and how far they may be (`FoldBound`). */
  readonly error: number;
  readonly bound: number;
  readonly isWithin: boolean;
}

/** A fold that could not be executed, and why. */
export interface UnexecutedFold {
  readonly layer: string;
  readonly node: string;
  readonly code:
    | "not-isolated" // what it computes depends on more than its input, constants and the inputs of the model
    | "no-input" // what goes into it is of a type or shape that cannot be had
    | "runtime-failure"; // the runtime does not run its nodes
  readonly why: string;
}

/** A segment with what goes into it. */
interface Task extends Segment {
  readonly values: Values;
  readonly isMadeUp: boolean;
}

/**
 * Executes the folds of one pass, the original's nodes and the folded ones, on what goes into them; made up where that
 * is not given.
 */
export async function executePass(
  model: OnnxModel,
  pass: FoldPass,
  given: readonly (Values | null)[],
  inputs: Feeds,
  ort: Runtime,
  session: SessionOptions,
): Promise<(ExecutedFold | UnexecutedFold)[]> {
  const shapes = new Constants(model.external).shapes;
  const types = new ElementTypes();
  const tasks = pass.folds.map((fold, k): Task | UnexecutedFold => {
    const values = given[k];
    if (values !== null) return { fold, values, isMadeUp: false, type: values.isHalf ? "float16" : floatOf(values) };
    const { scope, name } = fold.input;
    const type = elementTypeInfo(types.get(scope, name) ?? ElementType.float32)?.name;
    const shape = shapes.get(scope, name);
    if (shape === null || (type !== "float32" && type !== "float64" && type !== "float16")) {
      return leftOut(fold, "no-input", "The type or the rank of what goes into the node cannot be told.");
    }
    const dims = shape.map((dimension) => dimension ?? UNKNOWN_DIMENSION);
    const data = normals(dims.reduce((size, each) => size * each, 1));
    return {
      fold,
      isMadeUp: true,
      type,
      values: { data: type === "float64" ? data : Float32Array.from(data), shape: dims, isHalf: false },
    };
  });
  const ready = tasks.filter((task) => !("code" in task)) as Task[];
  return [...tasks.filter((task) => "code" in task), ...(await executeTasks(model, pass, ready, inputs, ort, session))] as (
    | ExecutedFold
    | UnexecutedFold
  )[];
}

/** For a dimension that the caller chooses, where an input is made up. */
const UNKNOWN_DIMENSION = 4;

function floatOf({ data }: Values): "float32" | "float64" {
  return data instanceof Float64Array ? "float64" : "float32";
}

/**
 * All in one session; where the runtime does not take them together, each in its own, so that one does not stop the
 * others.
 */
async function executeTasks(
  model: OnnxModel,
  pass: FoldPass,
  tasks: readonly Task[],
  inputs: Feeds,
  ort: Runtime,
  session: SessionOptions,
): Promise<(ExecutedFold | UnexecutedFold)[]> {
  if (tasks.length === 0) return [];
  try {
    const before = await runSegments({ ...model, proto: pass.before }, tasks, inputs, ort, session);
    const after = await runSegments({ ...model, proto: pass.after }, tasks, inputs, ort, session);
    return tasks.map((task, k) => {
      const [a, b] = [before[k], after[k]];
      if (a === null || b === null)
        return leftOut(
          task.fold,
          "not-isolated",
          "What it computes depends on more than its input, constants and the inputs of the model.",
        );
      return compareFold(task, a, b);
    });
  } catch (error) {
    if (tasks.length === 1) return [leftOut(tasks[0].fold, "runtime-failure", error instanceof Error ? error.message : String(error))];
    const results: (ExecutedFold | UnexecutedFold)[] = [];
    for (const task of tasks) results.push(...(await executeTasks(model, pass, [task], inputs, ort, session)));
    return results;
  }
}

async function runSegments(
  model: OnnxModel,
  tasks: readonly Task[],
  inputs: Feeds,
  ort: Runtime,
  options: SessionOptions,
): Promise<(Values | null)[]> {
  const { proto, isCut, given } = segmentsModel(model.proto, tasks);
  if (!isCut.includes(true)) return tasks.map(() => null);
  const bytes = writeModel({ ...model, proto: await complete(model, () => inlineData(proto, model.external)) });
  // What stands in the file is executed, and no fusion of the runtime's own.
  const session = await openSession(ort, bytes, { ...options, graphOptimizationLevel: "disabled" });
  try {
    const feeds: Record<string, Feeds[string]> = Object.fromEntries([...given].map(([name, original]) => [name, inputs[original]]));
    for (const [k, { type, values }] of tasks.entries()) {
      if (isCut[k])
        feeds[endsOfSegment(k).input] = new ort.Tensor(type === "float64" ? type : "float32", values.data as never, values.shape);
    }
    const outputs = tasks.flatMap((_, k) => (isCut[k] ? [endsOfSegment(k).output] : []));
    const results = await runSession(session, feeds, outputs);
    return tasks.map((_, k) => (isCut[k] ? valuesOf(results[endsOfSegment(k).output]) : null));
  } finally {
    await session.release();
  }
}

function compareFold({ fold, values, isMadeUp }: Task, before: Values, after: Values): ExecutedFold {
  const { folded, axis } = fold;
  let largestInput = 0;
  for (const value of values.data) largestInput = Math.max(largestInput, Math.abs(value));
  const bounds = boundFor(folded.bound, largestInput);
  const { channels, inner } = channelView(before.shape, axis.axis);
  const errors = new Float64Array(channels);
  for (let k = 0; k < before.data.length; k++) {
    const channel = Math.floor(k / inner) % channels;
    const error = Object.is(before.data[k], after.data[k]) ? 0 : Math.abs(before.data[k] - after.data[k]);
    // A NaN on one side only is a difference like no other.
    errors[channel] = Math.max(errors[channel], Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
  }
  const share = (channel: number): number => (errors[channel] === 0 ? 0 : errors[channel] / bounds[channel]);
  const channel = errors.reduce((worst, _, each) => (share(each) > share(worst) ? each : worst), 0);
  const isSameShape = before.data.length === after.data.length;
  return {
    layer: folded.layer,
    node: folded.into.node,
    input: isMadeUp ? "made-up" : "run",
    largestInput,
    elements: before.data.length,
    channel,
    error: errors[channel] ?? 0,
    bound: bounds[channel],
    isWithin: isSameShape && errors.every((error, each) => error === 0 || error <= bounds[each]),
  };
}

function leftOut({ folded }: Fold, code: UnexecutedFold["code"], why: string): UnexecutedFold {
  return { layer: folded.layer, node: folded.into.node, code, why };
}
