import type { Match } from "../find/match.ts";
import { intAttribute, intsAttribute, stringAttribute } from "../graph/attribute.ts";
import { biasedInput, channelAxis, climb, isLinear } from "../graph/climb.ts";
import type { Constant } from "../graph/constant.ts";
import { isOperator, producerOf, resolve, type Scope, usesOf, type Value } from "../graph/scope.ts";
import { type Axis, axisAt, axisBefore, type Context, movesOnly, sameAxis } from "../graph/trace.ts";
import type { NodeProto } from "../proto/index.ts";
import { elementTypeInfo, type FloatName, isFloat } from "../tensor/element-type.ts";
import { type ChannelMap, channelMap } from "./channel-map.ts";
import { isRefusal, type Refusal, refusal } from "./reason.ts";

/** Where a layer can be folded: a linear node with a constant weight, and the way to it. */
export interface Site {
  /** `backward`: into a node before the layer; `forward`: into one after it. */
  readonly direction: "backward" | "forward";
  readonly linear: NodeProto;
  /** The scope of the linear node: that of the layer, or one around it. */
  readonly scope: Scope;
  readonly weight: Constant & { readonly type: FloatName };
  readonly weightIndex: number;
  readonly map: ChannelMap;
  /**
   * The nodes between the two, in the order of the data: those that move axes, and, backward, those that add a
   * constant.
   */
  readonly passed: readonly NodeProto[];
  /** For each of those, backward, where the layer's axis lies in what it gives. */
  readonly axes: ReadonlyMap<NodeProto, Axis | null>;
}

/** A node before the layer. */
export function backwardSite(context: Context, match: Match): Site | Refusal {
  const { node, value, axis, passed, axes } = climb(context, match.scope, match.input, match.axis);
  const linear = node ?? producerOf(value);
  if (linear === null || context.constants.of(value) !== null) return refusal("no-neighbour", "Nothing before the layer has weights.");
  if (!isLinear(linear)) return nonLinear(value.scope, linear, "before");
  const between: Value[] = [value, ...passed.map((each) => ({ scope: match.scope, name: each.output[0] }))];
  const blocked = between.map(blockedAt).find((each) => each !== null);
  if (blocked) return blocked;
  const site = weightOf(context, value.scope, linear);
  if (isRefusal(site)) return site;
  // An only channel is all there is, however axes were moved.
  const isOnly = match.channels === 1;
  const isSame = isOnly || (axis !== null && sameAxis(axis, channelAxis(context, value.scope, linear)));
  const isOwnAxis = isSame && site.map.outputs === match.channels;
  if (!isOwnAxis) return refusal("other-axis", `The layer's channels are not the output channels of the ${linear.opType} before it.`);
  return castAway({ direction: "backward", ...site, passed: [...passed].reverse(), axes }, match.scope);
}

/** A node after the layer; `keepsZero` says that the layer maps 0 to 0. */
export function forwardSite(context: Context, match: Match, keepsZero: boolean): Site | Refusal {
  const { scope } = match;
  const passed: NodeProto[] = [];
  let name = match.output;
  for (;;) {
    const uses = usesOf({ scope, name });
    const linears = uses.filter((use) => isLinear(use.node));
    const blocked = blockedAt({ scope, name });
    if (blocked !== null) return linears.length > 0 ? blocked : refusal("no-neighbour", "Nothing after the layer has weights.");
    const [use] = uses;
    if (use === undefined || use.scope !== scope) return refusal("no-neighbour", "Nothing after the layer has weights.");
    if (isLinear(use.node)) return forwardInto(context, match, use.node, use.index, passed, keepsZero);
    if (!movesOnly(use.node) || use.index !== 0) return nonLinear(scope, use.node, "after");
    passed.push(use.node);
    name = use.node.output[0];
  }
}

function forwardInto(
  context: Context,
  match: Match,
  linear: NodeProto,
  index: number,
  passed: readonly NodeProto[],
  keepsZero: boolean,
): Site | Refusal {
  const { scope } = match;
  const site = weightOf(context, scope, linear);
  if (isRefusal(site)) return site;
  const dataIndex = isOperator(linear, "MatMul") ? 1 - site.weightIndex : 0;
  if (index !== dataIndex) return refusal("not-constant", `The layer's output is a weight of the ${linear.opType} after it.`);
  let axis: Axis | null = inputAxis(context, scope, linear, site.weightIndex);
  for (const node of [...passed].reverse()) axis = axis && axisBefore(context, scope, node, axis);
  const isSame = match.channels === 1 || (axis !== null && sameAxis(axis, match.axis));
  if (!isSame || site.map.inputs !== match.channels) {
    return refusal("other-axis", `The layer's channels are not the input channels of the ${linear.opType} after it.`);
  }
  // Constants that widen an x of one channel make its channels themselves: there is nothing before them to fold into.
  const given = context.shapes.get(scope, match.input)?.at(match.axis.axis) ?? null;
  if (match.steps.length > 0 && match.channels !== 1 && typeof given === "number" && given !== match.channels) {
    return refusal("other-axis", "The layer's constants widen its input: it has fewer channels than the layer.");
  }
  const isOne = site.weight.dims.slice(2).every((dimension) => dimension === 1);
  if (!keepsZero && isOperator(linear, "Conv") && isPadded(scope, linear, isOne)) {
    return refusal("padding", "The Conv after the layer pads with zeros, and the layer does not map 0 to 0.");
  }
  if (!keepsZero && isUneven(scope, linear, site.weight.dims, isOne)) {
    return refusal("uneven-shift", `What the ${linear.opType} after the layer makes of the layer's shift differs from place to place.`);
  }
  if (!keepsZero && isOperator(linear, "MatMul") && scope.opset < 7) return refusal("old-opset", "The MatMul after the layer has no bias.");
  return castAway({ direction: "forward", ...site, passed, axes: new Map() }, scope);
}

/** The constant weight of a linear node, and its channels. */
function weightOf(
  context: Context,
  scope: Scope,
  linear: NodeProto,
): Pick<Site, "linear" | "scope" | "weight" | "weightIndex" | "map"> | Refusal {
  const { constants } = context;
  const onLeft = isOperator(linear, "MatMul") && constants.get(scope, linear.input[1] ?? "") === null;
  const weightIndex = onLeft ? 0 : 1;
  const weight = constants.get(scope, linear.input[weightIndex] ?? "");
  const bias = isOperator(linear, "MatMul") || !linear.input[2] ? undefined : constants.get(scope, linear.input[2]);
  if (weight === null || !isFloat(weight.type) || bias === null) {
    return refusal("not-constant", `A weight of the ${linear.opType} is no constant of the file.`);
  }
  if (weight.overridable || bias?.overridable) return refusal("overridable", `A caller may feed other weights for the ${linear.opType}.`);
  const map = channelMap(scope, linear, weight.dims, onLeft);
  if (map === null) return refusal("other-axis", `The weight of the ${linear.opType} has no channels of its own.`);
  if (isOperator(linear, "Gemm") && scope.opset < 7)
    return refusal("old-opset", "The bias of a Gemm broadcasts in another way before opset 7.");
  return { linear, scope, weight: weight as Site["weight"], weightIndex, map };
}

/** Whether a value is read by more than one node, or is an output. */
function blockedAt(value: Value): Refusal | null {
  const { scope, name } = value;
  if (scope.outputs.has(name)) return refusal("graph-output", "The tensor between the layer and its neighbour is an output of the graph.");
  if (usesOf(value).length !== 1)
    return refusal("several-consumers", "The tensor between the layer and its neighbour is used elsewhere, too.");
  return null;
}

/** How far a node with weights is looked for behind one that is not linear: it only decides between two reasons. */
const LOOKED_AT = 60;

function nonLinear(scope: Scope, node: NodeProto, side: "before" | "after"): Refusal {
  const seen = new Set([node]);
  for (const at of seen) {
    if (isLinear(at)) return refusal("not-linear", `A ${node.opType} stands ${side} the layer, and is not linear.`);
    if (seen.size > LOOKED_AT) break;
    const next =
      side === "before"
        ? at.input.map((name) => resolve(scope, name)).map((value) => (value === null ? null : producerOf(value)))
        : at.output.flatMap((name) => usesOf({ scope, name }).map(({ node: reader }) => reader));
    for (const each of next) if (each !== null) seen.add(each);
  }
  return refusal("no-neighbour", `A ${node.opType} stands ${side} the layer, and nothing beyond it has weights.`);
}

/** A Cast to another type on the way rounds, or stops a rounding: nothing is folded through it. */
function castAway(site: Site, scope: Scope): Site | Refusal {
  const changing = site.passed.find(
    (node) => isOperator(node, "Cast") && elementTypeInfo(intAttribute(scope, node, "to", 0))?.name !== site.weight.type,
  );
  if (changing !== undefined) return refusal("not-linear", "A Cast to another type stands between the layer and its neighbour.");
  return site;
}

function inputAxis({ shapes }: Context, scope: Scope, linear: NodeProto, weightIndex: number): Axis {
  if (isOperator(linear, "Gemm")) return { axis: intAttribute(scope, linear, "transA", 0) === 1 ? 0 : 1, rank: 2 };
  const rank = shapes.get(scope, linear.input[isOperator(linear, "MatMul") ? 1 - weightIndex : 0])?.length ?? null;
  if (isOperator(linear, "MatMul")) return axisAt(weightIndex === 1 ? -1 : -2, rank);
  return axisAt(1, rank);
}

/** Whether a Conv puts zeros around its input. With a kernel of 1 there is nothing to pad, whatever auto_pad says. */
function isPadded(scope: Scope, node: NodeProto, kernelIsOne: boolean): boolean {
  const automatic = stringAttribute(scope, node, "auto_pad", "NOTSET");
  if (automatic === "VALID") return false;
  if (automatic !== "NOTSET" && automatic !== "") return !kernelIsOne;
  return (intsAttribute(scope, node, "pads") ?? []).some((pad) => pad !== 0);
}

/** Whether a constant input gives another constant at the border, or in another matrix of a batch. */
function isUneven(scope: Scope, node: NodeProto, dims: readonly number[], kernelIsOne: boolean): boolean {
  if (isOperator(node, "MatMul")) return dims.length > 2;
  if (!isOperator(node, "ConvTranspose")) return false;
  const isPlain = (name: string, plain: number): boolean => (intsAttribute(scope, node, name) ?? []).every((each) => each === plain);
  const automatic = stringAttribute(scope, node, "auto_pad", "NOTSET");
  const isSame = ["NOTSET", "VALID", ""].includes(automatic) && intsAttribute(scope, node, "output_shape") === null;
  return !(kernelIsOne && isSame && isPlain("strides", 1) && isPlain("pads", 0) && isPlain("output_padding", 0));
}

/** The nodes on the way that add a constant: they have a bias of their own. */
export function addsOf(context: Context, scope: Scope, passed: readonly NodeProto[]): readonly NodeProto[] {
  return passed.filter((node) => biasedInput(context, scope, node) !== null);
}
