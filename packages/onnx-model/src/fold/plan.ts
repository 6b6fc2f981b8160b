import { type Affine, affineOf, arraysOf } from "../find/affine.ts";
import { vectorOf } from "../find/factors.ts";
import { isOverridable } from "../find/find.ts";
import { ARRAY_NAMES, type Match } from "../find/match.ts";
import type { Analysis } from "../find/matches.ts";
import { isCalledTwice } from "../graph/build-scopes.ts";
import type { Context } from "../graph/trace.ts";
import type { NodeProto } from "../proto/index.ts";
import { isFloat } from "../tensor/element-type.ts";
import { type FoldReason, isRefusal, type Refusal, refusal } from "./reason.ts";
import { addsOf, backwardSite, forwardSite, type Site } from "./site.ts";

/** A layer that can be folded, and where. */
export interface Plan extends Site {
  readonly match: Match;
  readonly affine: Affine;
}

/** How much a reason says: of those of the two directions, people are told the one that says more. */
const VAGUE: Readonly<Partial<Record<FoldReason, number>>> = { "no-neighbour": 2, "not-linear": 1 };

/** Whether and where a layer can be folded, from the graph and the layer's own arrays: no weight is read. */
export function planFold(analysis: Analysis, match: Match): Plan | Refusal {
  const { context } = analysis;
  const own = ownRefusal(analysis, match);
  if (own !== null) return own;
  const affine = affineOf(match);
  if (affine === null) return refusal("not-constant", "An array of the layer is computed at run time.");
  const backward = backwardSite(context, match);
  if (!isRefusal(backward)) {
    const fits = addsOf(context, match.scope, backward.passed).every((node) => isPerChannel(context, match, backward, node));
    if (fits) return { ...backward, match, affine };
  }
  const forward = forwardSite(
    context,
    match,
    affine.offset.every((value) => value === 0),
  );
  if (!isRefusal(forward)) return { ...forward, match, affine };
  if (!isRefusal(backward))
    return refusal("other-axis", "A constant that is not per channel is added between the layer and its neighbour.");
  return (VAGUE[backward.code] ?? 0) > (VAGUE[forward.code] ?? 0) ? forward : backward;
}

/**
 * Whether the constant that a node adds is per channel of the layer, or one number: times the layer's multiplier it is
 * a vector then.
 */
function isPerChannel({ constants }: Context, match: Match, { axes }: Site, node: NodeProto): boolean {
  const constant = node.input.map((name) => constants.get(match.scope, name)).find((each) => each !== null);
  const axis = axes.get(node);
  if (!constant || constant.overridable || !isFloat(constant.type) || !axis) return false;
  const vector = vectorOf(constant);
  const fromEnd = axis.axis < 0 ? -axis.axis : axis.rank === null ? null : axis.rank - axis.axis;
  if (vector === null) return fromEnd !== null && constant.dims.every((dimension) => dimension === 1);
  return vector.length === match.channels && vector.fromEnd === fromEnd;
}

/** What speaks against folding in the layer itself. */
function ownRefusal({ root }: Analysis, match: Match): Refusal | null {
  if (match.mode === "training") return refusal("training-mode", "The layer normalizes with the statistics of the batch.");
  if (match.perPosition) return refusal("not-spatial", "The layer has statistics per position, not per channel.");
  if (Object.values(match.sources).some(({ constant }) => constant === null)) {
    return refusal("not-constant", "An array of the layer is computed at run time.");
  }
  if (isOverridable(match)) return refusal("overridable", "A caller may feed other arrays for the layer.");
  if (isCalledTwice(root, match.scope))
    return refusal("in-function", "The layer lies in a function that is called more than once: all calls share its nodes.");
  const { movingVariance } = arraysOf(match);
  if (movingVariance?.some((value) => value < 0))
    return refusal("negative-variance", "A variance of the layer is negative, which no data has.");
  const finite = (values: ArrayLike<number> | null | undefined): boolean => Array.from(values ?? []).every(Number.isFinite);
  const affine = affineOf(match);
  const own = ARRAY_NAMES.map((name) => match.sources[name]?.constant?.read());
  if (![...own, affine?.multiplier, affine?.offset].every(finite)) {
    return refusal("non-finite", "A parameter or statistic of the layer is not finite, or its gain is not.");
  }
  return null;
}
