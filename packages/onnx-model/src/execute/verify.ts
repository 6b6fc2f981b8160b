import { channelView, sameShape } from "@batchnorm/spec";
import type { OnnxModel } from "../file/model.ts";
import { nodeName } from "../find/find.ts";
import type { Form, LayerMode, Match } from "../find/match.ts";
import { analysed, Execution, type SkippedLayer, skipUnreachable } from "./execution.ts";
import type { Feeds, Runtime, SessionOptions, Values } from "./runtime.ts";
import { type Truth, truthOf } from "./truth.ts";

export interface VerifyOptions {
  readonly ort: Runtime;
  /** The inputs of the run. `randomInputs` makes some. */
  readonly inputs: Feeds;
  /** Where the runtime executes, such as `["cpu"]` or `["webgpu"]`. Default: the runtime's own. */
  readonly executionProviders?: NonNullable<SessionOptions["executionProviders"]>;
  /** Anything else of the session, such as its level of optimization. The runtime's own by default: what users get is what is verified. */
  readonly sessionOptions?: SessionOptions;
}

/** An element of a layer's output beside what it has to be. */
export interface CheckedElement {
  readonly channel: number;
  /** Where in the output, counted from 0. */
  readonly index: number;
  readonly x: number;
  readonly received: number;
  /** By the spec, in float64. */
  readonly expected: number;
  readonly error: number;
  readonly bound: number;
}

export interface VerifiedLayer {
  readonly layer: string;
  readonly form: Form;
  readonly mode: LayerMode;
  readonly node: string;
  readonly elements: number;
  /** How many elements are beyond their bound, and the first of their channels, at most 8. */
  readonly wrong: number;
  readonly wrongChannels: readonly number[];
  /** The element with the largest error as a share of its bound; null for a layer without elements. */
  readonly worst: CheckedElement | null;
}

export interface VerifyResult {
  /** Whether no element of any layer that was checked is beyond its bound. */
  readonly passed: boolean;
  readonly layers: readonly VerifiedLayer[];
  readonly skipped: readonly SkippedLayer[];
}

/**
 * Executes a model and holds every batch normalization in it against the spec: what a layer gives for what it read in this very run, element by
 * element, within the bounds of clauses 12.2 and 12.3, which are derived. An error in one layer does not blame those after it.
 *
 * The inputs and outputs of the layers become outputs of the model for this, so a runtime does not fuse a layer with its neighbours.
 *
 * @throws BatchNormError `invalid-argument` for a missing input, `runtime-failure`, what `find` throws.
 */
export async function verify(model: OnnxModel, { ort, inputs, executionProviders, sessionOptions }: VerifyOptions): Promise<VerifyResult> {
  const subject = await analysed(model);
  const { matches, names } = subject.analysis;
  const skipped: SkippedLayer[] = [];
  const reachable: { readonly layer: string; readonly match: Match }[] = [];
  for (const [k, match] of matches.entries()) {
    const skip = skipUnreachable(names[k], match);
    if (skip === null) reachable.push({ layer: names[k], match });
    else skipped.push(skip);
  }
  const options = { ...sessionOptions, ...(executionProviders && { executionProviders }) };
  const taps = reachable.flatMap(({ match }) => [match.input, match.output]);
  const execution = await Execution.open(subject, ort, taps, { whole: true, options });
  try {
    const values = await execution.run(inputs);
    const layers: VerifiedLayer[] = [];
    for (const { layer, match } of reachable) {
      const result = verifyLayer(layer, match, values.get(match.input) ?? null, values.get(match.output) ?? null);
      if ("code" in result) skipped.push(result);
      else layers.push(result);
    }
    return { passed: layers.every(({ wrong }) => wrong === 0), layers, skipped };
  } finally {
    await execution.close();
  }
}

function verifyLayer(layer: string, match: Match, x: Values | null, y: Values | null): VerifiedLayer | SkippedLayer {
  if (!(x?.data instanceof Float32Array) || !(y?.data instanceof Float32Array) || x.isHalf || y.isHalf) {
    return { layer, code: "not-float32", why: "The layer's input or output is not float32, for which the bounds are." };
  }
  if (!sameShape(x.shape, y.shape)) return { layer, code: "other-layout", why: "The layer's output has other axes than its input." };
  const view = channelView(x.shape, match.axis.axis);
  const truth = truthOf(match, x, view);
  if (typeof truth === "string") {
    return { layer, code: match.form.startsWith("moments") ? "batch-arithmetic" : "no-state", why: truth };
  }
  return {
    layer,
    form: match.form,
    mode: match.mode,
    node: nodeName(match.scope, match.nodes[0]),
    ...compare(x.data, y.data, view, truth),
  };
}

function compare(
  x: Float32Array,
  y: Float32Array,
  { channels, inner }: ReturnType<typeof channelView>,
  truth: Truth,
): Pick<VerifiedLayer, "elements" | "wrong" | "wrongChannels" | "worst"> {
  const wrongChannels = new Set<number>();
  let wrong = 0;
  let worst: CheckedElement | null = null;
  let largest = -1;
  for (let index = 0; index < y.length; index++) {
    const channel = Math.floor(index / inner) % channels;
    const { value: expected, bound } = truth(x[index], channel);
    const error = errorOf(y[index], expected, bound);
    // A NaN is beyond every bound.
    const share = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error === 0 ? 0 : error / bound;
    if (share > 1) {
      wrong += 1;
      wrongChannels.add(channel);
    }
    if (share <= largest) continue;
    largest = share;
    worst = { channel, index, x: x[index], received: y[index], expected, error, bound };
  }
  return { elements: y.length, wrong, wrongChannels: [...wrongChannels].sort((a, b) => a - b).slice(0, 8), worst };
}

/** The error; 0 where both are the same infinity or both NaN, and where a result beyond float32 became infinite. */
function errorOf(received: number, expected: number, bound: number): number {
  if (Object.is(received, Math.fround(expected))) return Number.isFinite(received) ? Math.abs(received - expected) : 0;
  if (!Number.isFinite(received) && !Number.isNaN(received)) {
    const most = Math.abs(expected) + bound;
    return Math.sign(received) === Math.sign(expected) && !Number.isFinite(Math.fround(most)) ? 0 : Number.POSITIVE_INFINITY;
  }
  return Math.abs(received - expected);
}
