import { channelView, elementsPerChannel, resolveAxis, type Supports, type VarianceEstimator } from "@batchnorm/spec";
import type { Case } from "../vectors/case.ts";
import type { HalfDType } from "../vectors/half.ts";

/** What a case asks of a backend, without its numbers. */
export interface Outline {
  readonly axis: number;
  readonly varianceEstimator: VarianceEstimator;
  readonly steps: readonly OutlineStep[];
}

export interface OutlineStep {
  readonly shape: readonly number[];
  readonly dtype?: HalfDType | undefined;
  /** Whether batch statistics normalize. */
  readonly batch: boolean;
  readonly gradient: boolean;
  readonly masked: boolean;
  readonly finite: boolean;
}

export function outlineOf({ config, steps }: Case): Outline {
  return {
    axis: config.axis,
    varianceEstimator: config.varianceEstimator,
    steps: steps.map(({ shape, dtype, batch, dy, mask, x }) => ({
      shape,
      dtype,
      batch: batch !== null,
      gradient: dy !== null,
      masked: mask !== null,
      finite: x.every(Number.isFinite),
    })),
  };
}

/** Why a backend with such a manifest cannot be held against the case, or null where it can. */
export function whySkipped({ axis, varianceEstimator, steps }: Outline, supports: Supports): string | null {
  const missing = steps.find(({ dtype }) => dtype !== undefined && !supports.dtypes.includes(dtype));
  if (missing !== undefined) return `${missing.dtype} is not supported`;
  const rank = Math.max(...steps.map(({ shape }) => shape.length));
  if (supports.maxRank !== null && rank > supports.maxRank) return `rank ${rank} is not supported (maxRank ${supports.maxRank})`;
  const isLast = steps.every(({ shape }) => resolveAxis(axis, shape.length) === shape.length - 1);
  if (supports.axes === "last" && !isLast) return "only the last axis is supported";
  if (!supports.varianceEstimators.includes(varianceEstimator)) return `varianceEstimator '${varianceEstimator}' is not supported`;
  const trained = steps.filter(({ batch }) => batch);
  if (!supports.training && trained.length > 0) return "training is not supported";
  const elements = Math.min(...trained.map(({ shape }) => elementsPerChannel(channelView(shape, axis))));
  if (elements < supports.minElements) {
    return `training on ${elements} elements per channel is not supported (minElements ${supports.minElements})`;
  }
  if (!supports.gradients && steps.some(({ gradient }) => gradient)) return "gradients are not supported";
  if (!supports.masks && steps.some(({ masked }) => masked)) return "masks are not supported";
  if (!supports.nonFinite.includes("propagate") && steps.some(({ finite }) => !finite)) return "NaN and infinity do not propagate";
  return null;
}
