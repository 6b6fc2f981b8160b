import type { ChannelView } from "@batchnorm/spec";
import type { GradSaveFunc } from "@tensorflow/tfjs-core";
import { differentiableGradients } from "./differentiable.ts";
import type { Batch, GradientOperands, Normalizer, OperandGradients } from "./kernels/arithmetic.ts";
import { registeredArithmetic } from "./kernels/registered.ts";
import { runner } from "./runtime.ts";
import type { Tensor, Tf } from "./tf.ts";

/** One pass over x: what normalizes it, and what of it can be learned. */
export interface Pass extends Omit<GradientOperands<Tensor>, "x"> {
  readonly view: ChannelView;
  readonly beta: Tensor | null;
  readonly epsilon: number;
  /** Whether gamma and beta get gradients (clause 4.1). */
  readonly parameterGradients: boolean;
}

/** The statistics of this batch; see `Arithmetic.moments`. Nothing flows back through them by themselves: `normalize` sees to that. */
export function batchMoments(
  tf: Tf,
  x: Tensor,
  view: ChannelView,
  mask: Tensor | null,
  moving: Normalizer<Tensor>,
): Normalizer<Tensor> & Pick<Pass, "batch"> {
  const { mean, variance, ...rest } = registeredArithmetic(tf).moments(x, view, mask && { mask, moving });
  return { mean, variance, batch: { mask, ...rest } };
}

/**
 * y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, as one differentiable operation: inside `tf.grad`,
 * `tf.variableGrads` or `optimizer.minimize`, x, gamma and beta get the gradients of section 10 in closed form.
 */
export function normalize(tf: Tf, x: Tensor, pass: Pass): Tensor {
  const { view, gamma, beta, epsilon, parameterGradients } = pass;
  if (!tf.engine().isTapeOn()) return registeredArithmetic(tf).normalize(x, view, pass, gamma, beta, epsilon);
  const learned = parameterGradients ? [gamma, beta].filter((parameter) => parameter !== null) : [];
  // A layer may be pinned to another backend than the one that is active when the tape is played back.
  const run = runner(tf, tf.getBackend());
  const operation = tf.customGrad((...operands) => {
    const save = operands.at(-1) as GradSaveFunc;
    const value = registeredArithmetic(tf).normalize(x, view, pass, gamma, beta, epsilon);
    const [list, restore] = pack({ ...pass, x });
    save(list);
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] => {
      const { dx, parameters } = run(() => gradients(tf, dy, restore(saved), pass));
      if (parameters === null) return [dx];
      return [dx, ...(gamma === null ? [] : [parameters.dgamma]), ...(beta === null ? [] : [parameters.dbeta])];
    };
    return { value, gradFunc };
  });
  return operation(x, ...learned);
}

/** The gradients of a pass. While an outer gradient is being recorded they come as ordinary ops, which can be differentiated again. */
export function gradients(
  tf: Tf,
  dy: Tensor,
  operands: GradientOperands<Tensor>,
  { view, epsilon, parameterGradients }: Pick<Pass, "view" | "epsilon" | "parameterGradients">,
): OperandGradients<Tensor> {
  if (tf.engine().isTapeOn()) return differentiableGradients(tf, dy, view, operands, epsilon, parameterGradients);
  return registeredArithmetic(tf).gradients(dy, view, operands, epsilon, parameterGradients);
}

/** The tensors of the operands as a list, for tfjs to keep, and the way back. */
export function pack({
  x,
  mean,
  variance,
  gamma,
  batch,
}: GradientOperands<Tensor>): [Tensor[], (saved: readonly Tensor[]) => GradientOperands<Tensor>] {
  const { mask, count, remainder, downscale } = batch ?? NO_BATCH;
  const all = [x, mean, variance, gamma, mask, count, remainder, downscale];
  const restore = (saved: readonly Tensor[]): GradientOperands<Tensor> => {
    const rest = [...saved];
    const [x, mean, variance, gamma, mask, count, remainder, downscale] = all.map((tensor) => (tensor === null ? null : rest.shift()!));
    return {
      x: x!,
      mean: mean!,
      variance: variance!,
      gamma,
      batch: batch && { mask, count, remainder: remainder!, downscale: downscale! },
    };
  };
  return [all.filter((tensor) => tensor !== null), restore];
}

const NO_BATCH: Readonly<Record<keyof Batch<Tensor>, null>> = { mask: null, count: null, remainder: null, downscale: null };
