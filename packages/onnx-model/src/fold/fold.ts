import { BatchNormError } from "@batchnorm/spec";
import { copyModel } from "../edit/copy.ts";
import { Draft } from "../edit/draft.ts";
import { complete } from "../file/complete.ts";
import type { OnnxModel } from "../file/model.ts";
import { nodeName } from "../find/find.ts";
import type { Form, Match } from "../find/match.ts";
import { type Analysis, analyse } from "../find/matches.ts";
import { type Float16Report, float16Model } from "../float16/convert.ts";
import { channelAxis } from "../graph/climb.ts";
import { isOperator, resolve, type Value } from "../graph/scope.ts";
import type { Axis, Context } from "../graph/trace.ts";
import type { ModelProto, NodeProto } from "../proto/index.ts";
import { applyFold, isFresh } from "./apply.ts";
import type { FoldBound } from "./bound.ts";
import { foldNumbers } from "./numbers.ts";
import { type Plan, planFold } from "./plan.ts";
import { isRefusal, type Refusal } from "./reason.ts";

export interface FoldOptions {
  /** The names of the layers to fold, as `find` gives them. Default: all that can be. */
  readonly layers?: readonly string[];
  /** Whether the folded model is converted to float16, with inputs and outputs in float32. Default false. */
  readonly float16?: boolean;
}

/** A layer that was folded, and what that took. */
export interface FoldedLayer {
  readonly layer: string;
  readonly scope: string;
  readonly form: Form;
  readonly channels: number;
  /** The node that does the layer's work now. */
  readonly into: { readonly node: string; readonly operator: string };
  /** `backward`: into a node before the layer; `forward`: into one after it. */
  readonly direction: "backward" | "forward";
  /** The nodes between the two, in the order of the data. */
  readonly through: readonly string[];
  /** Constants that others read, too: the folded node got copies, and the others see no change. */
  readonly copied: readonly string[];
  /** What the folded node got that it did not have. */
  readonly added: "bias" | "Add" | null;
  /** How far the output may be from the original's, per output channel of the node. */
  readonly bound: FoldBound;
}

/** A layer that stands as it was, and why. */
export interface KeptLayer extends Refusal {
  readonly layer: string;
  readonly scope: string;
  readonly form: Form;
}

export interface FoldReport {
  readonly folded: readonly FoldedLayer[];
  readonly kept: readonly KeptLayer[];
  /** What float16 cost; null where it was not asked for. */
  readonly float16: Float16Report | null;
}

export interface FoldResult {
  readonly model: OnnxModel;
  readonly report: FoldReport;
}

/**
 * Folds batch normalizations into the linear nodes beside them: Conv, ConvTranspose (grouped and depthwise, with and
 * without bias), Gemm and MatMul, before the layer or, where nothing is padded, after it; through nodes that only move
 * axes; whatever the layer's form. New weights are computed in float64 and rounded once. Weights that others share are
 * copied. A layer whose result is used in another way too, whose neighbour's is, or that is in training mode, stays; so
 * does one with a negative variance. The report says for each layer what was done, or why nothing was.
 *
 * The model that is given is not changed. It says nothing about whether a layer should be folded: a folded layer cannot
 * be trained, recalibrated or read back.
 *
 * @throws BatchNormError `invalid-argument` for options, `invalid-file`.
 */
export async function fold(model: OnnxModel, options: FoldOptions = {}): Promise<FoldResult> {
  const { model: folded, report } = await foldInPasses(model, options);
  return { model: folded, report };
}

/** A fold, as whoever executes it has to know it. */
export interface Fold {
  readonly folded: FoldedLayer;
  /** What goes into the two nodes, and what comes out of them, before and after alike. */
  readonly input: Value;
  readonly output: Value;
  /** Where the channels of the bound lie in the output. */
  readonly axis: Axis;
}

/** Folds that were carried out together: none of them touches a node of another. */
export interface FoldPass {
  readonly before: ModelProto;
  readonly after: ModelProto;
  readonly folds: readonly Fold[];
}

export interface FoldInPasses extends FoldResult {
  /** The folded model without what float16 changed. */
  readonly float32: OnnxModel;
  readonly passes: readonly FoldPass[];
}

/** `fold`, and how it came about. */
export async function foldInPasses(model: OnnxModel, options: FoldOptions): Promise<FoldInPasses> {
  const { wanted, float16 } = checkOptions(options);
  return complete(model, () => {
    const { passes, ...result } = foldAll(model, wanted);
    // Without the weights that still have to be loaded there is nothing to convert yet.
    const converted = float16 && !model.external.isWanting ? inFloat16(result) : result;
    return { ...converted, float32: result.model, passes };
  });
}

/** Converts after folding: the variances, which float16 cannot hold, are gone by then. */
function inFloat16({ model, report }: FoldResult): FoldResult {
  const half = float16Model(model.proto, model.external);
  if (half === null) return { model, report };
  return { model: { proto: half.proto, external: model.external }, report: { ...report, float16: half.report } };
}

function checkOptions(options: FoldOptions): { readonly wanted: ReadonlySet<string> | null; readonly float16: boolean } {
  const { layers, float16 = false, ...rest } = (options ?? {}) as Record<string, unknown>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new BatchNormError("invalid-argument", "fold has no such option", unknown, "layers or float16");
  if (typeof float16 !== "boolean") throw new BatchNormError("invalid-argument", "float16 is not a boolean", float16, "true or false");
  if (layers === undefined) return { wanted: null, float16 };
  if (!Array.isArray(layers) || !layers.every((name) => typeof name === "string")) {
    throw new BatchNormError("invalid-argument", "layers is wrong", layers, "a list of names of layers");
  }
  return { wanted: new Set(layers as string[]), float16 };
}

function foldAll(model: OnnxModel, wanted: ReadonlySet<string> | null): FoldResult & Pick<FoldInPasses, "passes"> {
  const draft = new Draft(model.proto);
  const passes: FoldPass[] = [];
  // Names are those before the first fold: later there are fewer layers, and some would be called otherwise.
  const names = new Map<NodeProto, Map<string, string>>();
  const refused = new Map<NodeProto, Refusal>();
  for (;;) {
    const analysis = analyse(draft.proto, model.external);
    if (names.size === 0) nameAll(analysis, names, wanted);
    const nameOf = (match: Match): string => names.get(match.nodes[0])?.get(match.scope.path) ?? "";
    const touched = new Set<NodeProto>();
    const kept: KeptLayer[] = [];
    const folds: Fold[] = [];
    const before = copyModel(draft.proto);
    // All plans before the first change: what was found does not know of changes.
    const plans = analysis.matches.map((match) => refused.get(match.nodes[0]) ?? planFold(analysis, match));
    for (const [k, match] of analysis.matches.entries()) {
      const about = { layer: nameOf(match), scope: match.scope.path, form: match.form };
      // Arithmetic that only now stands together is no layer of the model.
      if (about.layer === "" || (wanted !== null && !wanted.has(about.layer))) continue;
      const plan = plans[k];
      if (isRefusal(plan)) {
        kept.push({ ...about, ...plan });
        continue;
      }
      if (!isFresh(plan, touched)) continue;
      const numbers = foldNumbers(analysis.context, plan);
      if (numbers === null) continue;
      if (isRefusal(numbers)) {
        refused.set(match.nodes[0], numbers);
        kept.push({ ...about, ...numbers });
        continue;
      }
      const into = { node: nodeName(plan.scope, plan.linear), operator: plan.linear.opType };
      const through = plan.passed.map((node) => nodeName(match.scope, node));
      const ends = endsOf(analysis.context, plan);
      const { copied, added, touched: nodes } = applyFold(draft, analysis.context, plan, numbers);
      for (const node of nodes) touched.add(node);
      const channels = plan.affine.multiplier.length;
      const folded = { ...about, channels, into, direction: plan.direction, through, copied, added, bound: numbers.bound };
      folds.push({ folded, ...ends });
    }
    if (touched.size === 0) {
      const folded = passes.flatMap((pass) => pass.folds.map((each) => each.folded));
      return { model: { proto: draft.proto, external: model.external }, report: { folded, kept, float16: null }, passes };
    }
    draft.removeUnused();
    passes.push({ before, after: copyModel(draft.proto), folds });
  }
}

/** The values between which a fold changes the way, and the axis of the folded node's channels in the second. */
function endsOf(context: Context, { direction, linear, scope, match, weightIndex }: Plan): Omit<Fold, "folded"> {
  const data = linear.input[isOperator(linear, "MatMul") ? 1 - weightIndex : 0];
  return direction === "backward"
    ? { input: resolve(scope, data)!, output: { scope: match.scope, name: match.output }, axis: match.axis }
    : {
        input: resolve(match.scope, match.input)!,
        output: { scope, name: linear.output[0] },
        axis: channelAxis(context, scope, linear),
      };
}

function nameAll({ matches, names }: Analysis, known: Map<NodeProto, Map<string, string>>, wanted: ReadonlySet<string> | null): void {
  for (const [k, { nodes, scope }] of matches.entries()) {
    const byScope = known.get(nodes[0]) ?? new Map<string, string>();
    known.set(nodes[0], byScope.set(scope.path, names[k]));
  }
  const unknown = [...(wanted ?? [])].find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new BatchNormError("invalid-argument", "The model has no such layer", unknown, names.slice(0, 8).join(", ") || "no layers");
}
