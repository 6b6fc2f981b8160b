import { isBatchNormError } from "@batchnorm/spec";
import type { OnnxModel } from "../file/model.ts";
import { nodeName } from "../find/find.ts";
import type { Form, LayerMode, Match } from "../find/match.ts";
import type { Analysis } from "../find/matches.ts";
import { intsAttribute } from "../graph/attribute.ts";
import { isOperator, type Value } from "../graph/scope.ts";
import { axisBefore } from "../graph/trace.ts";
import type { NodeProto } from "../proto/index.ts";
import { type Comparison, compareLayer } from "./compare-layer.ts";
import { analysed, Execution, elementTypeOf, type SkippedLayer } from "./execution.ts";
import type { Feeds, Runtime, SessionOptions, Values } from "./runtime.ts";
import { type Tap, Taps } from "./taps.ts";

export interface VerifyOptions {
  readonly ort: Runtime;
  /** The inputs of the run. `randomInputs` makes some. */
  readonly inputs: Feeds;
  /** Where the runtime executes, such as `["cpu"]` or `["webgpu"]`. Default: the runtime's own. */
  readonly executionProviders?: NonNullable<SessionOptions["executionProviders"]>;
  /** Anything else of the session, such as its level of optimization. The runtime's own by default: what users get is what is verified. */
  readonly sessionOptions?: SessionOptions;
}

export interface VerifiedLayer extends Comparison {
  readonly layer: string;
  readonly form: Form;
  readonly mode: LayerMode;
  /** The first of its nodes, after the graph that it lies in where that is not the main one. */
  readonly node: string;
}

export interface VerifyResult {
  /** Whether no element of any layer that was checked is beyond its bound. */
  readonly passed: boolean;
  readonly layers: readonly VerifiedLayer[];
  readonly skipped: readonly SkippedLayer[];
}

/**
 * Executes a model and holds every batch normalization in it against the spec: what a layer gives for what it read in this
 * very run, element by element, within the bounds of clauses 12.2 and 12.3, which are derived. An error in one layer does
 * not blame those after it.
 *
 * The inputs and outputs of the layers become outputs of the model for this, also out of branches, loops and functions, so
 * a runtime does not fuse a layer with its neighbours.
 *
 * @throws BatchNormError `invalid-argument` for a missing input, `runtime-failure`, what `find` throws.
 */
export async function verify(model: OnnxModel, { ort, inputs, executionProviders, sessionOptions }: VerifyOptions): Promise<VerifyResult> {
  const options = { ...sessionOptions, ...(executionProviders && { executionProviders }) };
  const all = await tapped(model, () => true);
  try {
    return await verifyTapped(all, ort, inputs, options);
  } catch (error) {
    // Not every runtime takes more outputs of a branch or a loop, or rounds that differ in their shapes.
    if (!isBatchNormError(error) || error.code !== "runtime-failure" || all.layers.every(isInMainGraph)) throw error;
    const main = await tapped(model, isInMainGraph);
    const { layers, skipped } = await verifyTapped(main, ort, inputs, options);
    const why = `The runtime does not give its values: ${messageOf(error.cause)}`;
    const left = all.layers.filter((each) => !isInMainGraph(each)).map(({ layer }) => ({ layer, code: "in-branch", why }) as const);
    return { passed: layers.every(({ wrong }) => wrong === 0), layers, skipped: [...skipped, ...left] };
  }
}

interface NamedMatch {
  readonly layer: string;
  readonly match: Match;
}

interface TappedLayer extends NamedMatch {
  readonly inputs: readonly TappedInput[];
  readonly y: Tap;
}

interface TappedInput {
  readonly x: Tap;
  /** The axis of the channels. */
  readonly axis: number;
}

interface TappedLayers {
  readonly subject: Awaited<ReturnType<typeof analysed>>;
  readonly layers: readonly TappedLayer[];
  readonly skipped: readonly SkippedLayer[];
}

function isInMainGraph({ match }: NamedMatch): boolean {
  return match.scope.kind === "graph";
}

async function tapped(model: OnnxModel, isWanted: (layer: NamedMatch) => boolean): Promise<TappedLayers> {
  const subject = await analysed(model);
  const { matches, names, root } = subject.analysis;
  const taps = new Taps(root);
  const layers: TappedLayer[] = [];
  const skipped: SkippedLayer[] = [];
  for (const [k, match] of matches.entries()) {
    const layer = names[k];
    if (!isWanted({ layer, match })) continue;
    const type = elementTypeOf(match);
    const inputs = inputsOf(subject.analysis, match).flatMap(({ scope, name, axis }): TappedInput[] => {
      const x = taps.bring(scope, name, type);
      return x === null ? [] : [{ x, axis }];
    });
    const y = taps.bring(match.scope, match.output, type);
    if (inputs.length > 0 && y !== null) layers.push({ layer, match, inputs, y });
    else skipped.push({ layer, code: "in-branch", why: `The layer lies in ${match.scope.path}: its values cannot be had.` });
  }
  return { subject, layers, skipped };
}

/**
 * What a layer reads, as its nodes see it. Where it spells its statistics out, those may be taken of x before or after the
 * Transpose that its last node's input went through.
 */
function inputsOf({ context }: Analysis, match: Match): readonly (Value & { readonly axis: number })[] {
  const { scope, input, axis, form, nodes } = match;
  const own = { scope, name: input, axis: axis.axis };
  if (form !== "moments") return [own];
  const isTransposed = (node: NodeProto): boolean => isOperator(node, "Transpose") && node.input[0] === input;
  const below = nodes.filter(isTransposed).flatMap((node) => {
    const at = intsAttribute(scope, node, "perm")?.indexOf(axis.axis) ?? -1;
    return at < 0 ? [] : [{ scope, name: node.output[0], axis: at }];
  });
  const producer = scope.producers.get(input);
  const before = producer !== undefined && isOperator(producer, "Transpose") ? axisBefore(context, scope, producer, axis) : null;
  return before === null ? [own, ...below] : [own, ...below, { scope, name: producer!.input[0], axis: before.axis }];
}

async function verifyTapped(
  { subject, layers: tappedLayers, skipped: unreachable }: TappedLayers,
  ort: Runtime,
  inputs: Feeds,
  options: SessionOptions,
): Promise<VerifyResult> {
  const names = tappedLayers.flatMap(({ inputs: given, y }) => [...given.map(({ x }) => x.name), y.name]);
  const execution = await Execution.open(subject, ort, names, { whole: true, options });
  try {
    const values = await execution.run(inputs);
    const layers: VerifiedLayer[] = [];
    const skipped: SkippedLayer[] = [...unreachable];
    for (const { layer, match, inputs: given, y } of tappedLayers) {
      const { scope, form, mode } = match;
      const result = compareLayer(
        match,
        given.map(({ x, axis }) => ({ axis, rounds: roundsOf(values, x) })),
        roundsOf(values, y),
      );
      const node = `${scope.path === "" ? "" : `${scope.path}/`}${nodeName(scope, match.nodes[0])}`;
      if ("code" in result) skipped.push({ layer, ...result });
      else layers.push({ layer, form, mode, node, ...result });
    }
    return { passed: layers.every(({ wrong }) => wrong === 0), layers, skipped };
  } finally {
    await execution.close();
  }
}

/** What a tap gave in each round of the loops around it; one round where there are none, none where it was not computed. */
function roundsOf(values: ReadonlyMap<string, Values | null>, { name, loops }: Tap): readonly (Values | null)[] {
  const value = values.get(name) ?? null;
  if (value === null) return [null];
  const { data, shape, isHalf } = value;
  // What a branch gives that is not taken: no layer has data of one axis.
  if (shape.length === loops + 1 && shape[loops] === 0) return [];
  const rounds = shape.slice(0, loops).reduce((product, size) => product * size, 1);
  const size = data.length / rounds;
  return Array.from({ length: rounds }, (_, k) => ({
    data: data.subarray(k * size, (k + 1) * size),
    shape: shape.slice(loops),
    isHalf,
  }));
}

function messageOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, " ").slice(0, 120);
}
