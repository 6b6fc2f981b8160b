import { isBatchNormError } from "@batchnorm/spec";
import type { Match } from "../find/match.ts";
import { isCalledTwice } from "../graph/build-scopes.ts";
import { isOperator, type Scope } from "../graph/scope.ts";
import { placeOf } from "../states/place.ts";
import type { SkippedLayer } from "./execution.ts";

/**
 * Why a layer outside of the main graph cannot be recalibrated; null where it can. Layers in branches and in functions
 * are measured as those of the main graph are.
 *
 * Those in loops are not: through the rounds before, what a layer reads depends on its own statistics, so there is no
 * order in which to measure, and not every runtime gives rounds whose shapes differ.
 */
export function skipNested(root: Scope, match: Match): Pick<SkippedLayer, "code" | "why"> | null {
  const { scope } = match;
  for (let at = scope; at.caller !== null; at = at.caller.scope) {
    if (at.kind !== "branch" || isOperator(at.caller.node, "If")) continue;
    const why = `The layer lies in ${scope.path}, the body of a loop: what it reads depends on its own statistics.`;
    return { code: "in-branch", why };
  }
  const fault = whyNotWritable(root, match);
  return fault === null ? null : { code: "no-state", why: fault };
}

/** Why new statistics would be those of other calls of a function, too. */
function whyNotWritable(root: Scope, { scope, sources, nodes }: Match): string | null {
  if (scope.kind === "graph" || !isCalledTwice(root, scope)) return null;
  try {
    for (const name of ["movingMean", "movingVariance"] as const) {
      const { node, index } = sources[name]?.read ?? { node: nodes[0], index: -1 };
      if (index < 0) return `The layer lies in ${scope.path}, which is called more than once.`;
      placeOf(root, scope, node, index);
    }
    return null;
  } catch (error) {
    if (!isBatchNormError(error) || error.code !== "cannot-convert") throw error;
    return error.message;
  }
}
