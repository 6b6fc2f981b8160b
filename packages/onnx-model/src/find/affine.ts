import type { Numbers } from "../graph/constant.ts";
import { ARRAY_NAMES, type ArrayName, type Match } from "./match.ts";

/** y = multiplier x + offset, per channel, in float64. */
export interface Affine {
  readonly multiplier: Float64Array;
  readonly offset: Float64Array;
}

/** The arrays of a layer that can be read, in the order of ARRAY_NAMES; null for the others. */
export function arraysOf(match: Match): Readonly<Record<ArrayName, Numbers | null>> {
  const entries = ARRAY_NAMES.map((name) => [name, match.sources[name]?.constant?.read() ?? null]);
  return Object.fromEntries(entries) as Record<ArrayName, Numbers | null>;
}

/**
 * What a layer does in inference:
 *
 *     multiplier = gamma / sqrt(variance + epsilon)        offset = beta - mean multiplier
 *
 * or, for a decomposed one, what its steps come to. Null in training mode, where an array is not a constant, or not
 * loaded yet.
 */
export function affineOf(match: Match): Affine | null {
  if (match.mode === "training" || match.perPosition || match.channels === null) return null;
  return match.steps.length > 0 ? affineOfSteps(match) : affineOfArrays(match, match.channels);
}

function affineOfArrays(match: Match, channels: number): Affine | null {
  const { gamma, beta, movingMean, movingVariance } = arraysOf(match);
  const { epsilon } = match;
  if (gamma === null || beta === null || movingMean === null || movingVariance === null || epsilon === null) return null;
  const multiplier = Float64Array.from({ length: channels }, (_, c) => gamma[c] / Math.sqrt(movingVariance[c] + epsilon));
  return { multiplier, offset: multiplier.map((k, c) => beta[c] - movingMean[c] * k) };
}

function affineOfSteps({ steps, channels }: Match): Affine | null {
  const multiplier = new Float64Array(channels!).fill(1);
  const offset = new Float64Array(channels!);
  for (const { operation, constant } of steps) {
    const values = constant.read();
    if (values === null) return null;
    for (let c = 0; c < multiplier.length; c++) {
      if (operation === "Add") offset[c] += values[c];
      else if (operation === "Sub") offset[c] -= values[c];
      else {
        const factor = operation === "Mul" ? values[c] : 1 / values[c];
        multiplier[c] *= factor;
        offset[c] *= factor;
      }
    }
  }
  return { multiplier, offset };
}
