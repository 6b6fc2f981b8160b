import type { BatchNormConfig, Parameters } from "@batchnorm/spec";
import { type OracleInput, oracle } from "../properties/oracle.ts";
import type { Step, Truth } from "../vectors/case.ts";

/** Moving statistics before a step, or after it. */
export type Moving = Pick<OracleInput, "movingMean" | "movingVariance">;

/** What goes into a step. */
export type StepInput = Pick<Step, "training" | "trainable" | "shape" | "dtype" | "x" | "mask" | "dy">;

/** A step with the truth that the oracle computes. What lies beyond the largest float32 is an infinity. */
export function stepWithTruth(
  config: BatchNormConfig,
  parameters: Parameters,
  moving: Moving,
  input: StepInput,
): Step & { readonly truth: Truth & Moving } {
  const { batch, ...truth } = oracle({ ...input, config: { ...config, trainable: input.trainable }, ...parameters, ...moving });
  for (const array of Object.values(truth)) {
    for (let k = 0; k < (array?.length ?? 0); k++) if (Math.abs(array![k]) > LARGEST_FLOAT32) array![k] *= Number.POSITIVE_INFINITY;
  }
  return { ...input, parameters: null, truth, batch, results: {} };
}

const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;
