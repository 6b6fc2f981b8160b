import type { ChannelView } from "@batchnorm/spec";
import type { GradSaveFunc } from "@tensorflow/tfjs-core";
import { differentiableGradients } from "./differentiable.ts";
import { type GradientAttributes, type MovingAverageAttributes, type Operands, present } from "./kernels/arithmetic.ts";
import { registeredArithmetic } from "./kernels/registered.ts";
import { onBackend, type Tensor, type Tf } from "./tf.ts";

// The operations of a layer on whichever tfjs backend is active: what the contract's layers and the drop-in layer have in common.

/** What normalizes: a mean and a variance, `[channels]` each; of a batch, also what float32 does not hold of them, and its mask. */
export type Statistics = Omit<Operands<Tensor>, "x" | "gamma">;

/** The statistics of this batch. Nothing flows back through them by themselves: `normalize` sees to that. */
export function batchStatistics(tf: Tf, x: Tensor, view: ChannelView, mask: Tensor | null, moving: Statistics): Statistics {
  const masked = mask && { mask, movingMean: moving.mean, movingVariance: moving.variance };
  const [mean, variance, remainder, downscale, count] = registeredArithmetic(tf).moments({ x, ...masked }, { view });
  return { mean, variance, remainder, downscale, ...(mask && { mask, count }) };
}

/** The moving statistics after a batch; see `Arithmetic.movingAverage`. */
export function movingAverage(tf: Tf, moving: Statistics, { mask, ...batch }: Statistics, attributes: MovingAverageAttributes): Statistics {
  const inputs = { movingMean: moving.mean, movingVariance: moving.variance, ...batch };
  const [mean, variance] = registeredArithmetic(tf).movingAverage(inputs, attributes);
  return { mean, variance };
}

/**
 * y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, as one differentiable operation: inside `tf.grad`,
 * `tf.variableGrads` or `optimizer.minimize`, x, gamma and beta get the gradients of section 10 in closed form.
 */
export function normalize(tf: Tf, operands: Operands<Tensor>, beta: Tensor | null, attributes: GradientAttributes): Tensor {
  const { x, gamma, mask, count, ...numbers } = operands;
  const forward = (): Tensor => {
    const { view, epsilon } = attributes;
    return registeredArithmetic(tf).normalize({ x, gamma, ...numbers, ...(beta && { beta }) }, { view, epsilon })[0];
  };
  if (!tf.engine().isTapeOn()) return forward();
  // A layer may be pinned to another backend than the one that is active when the tape is played back.
  const backendName = tf.getBackend();
  const operation = tf.customGrad((...inputs) => {
    const save = inputs.at(-1) as GradSaveFunc;
    const value = forward();
    const kept = present(operands);
    save(Object.values(kept));
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] => {
      const restored = Object.fromEntries(Object.keys(kept).map((name, index) => [name, saved[index]]));
      const [dx, dgamma, dbeta] = onBackend(tf, backendName, () => gradients(tf, dy, restored as unknown as Operands<Tensor>, attributes));
      if (!attributes.ofParameters) return [dx];
      return [dx, ...(gamma ? [dgamma] : []), ...(beta ? [dbeta] : [])];
    };
    return { value, gradFunc };
  });
  const learned = attributes.ofParameters ? [gamma, beta].filter((parameter) => parameter !== undefined && parameter !== null) : [];
  return operation(x, ...learned);
}

/**
 * `[dx]` or `[dx, dgamma, dbeta]`; see `Arithmetic.gradients`. While an outer gradient is being recorded they come as ordinary
 * ops, which can be differentiated again.
 */
export function gradients(tf: Tf, dy: Tensor, operands: Operands<Tensor>, attributes: GradientAttributes): Tensor[] {
  if (tf.engine().isTapeOn()) return differentiableGradients(tf, { ...operands, dy }, attributes);
  return registeredArithmetic(tf).gradients({ ...operands, dy }, attributes);
}
