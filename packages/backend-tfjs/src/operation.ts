import type { BatchNormConfig, ChannelView } from "@batchnorm/spec";
import { differentiableGradients } from "./differentiable.ts";
import { type GradientAttributes, type Operands, present } from "./kernels/arithmetic.ts";
import { registeredArithmetic } from "./kernels/registered.ts";
import { share, shareOnTape } from "./share.ts";
import { onBackend, type Tensor, type Tf } from "./tf.ts";

// The operations of a layer on whichever tfjs backend is active: what the contract's layers and the drop-in layer have in common.

/** A mean and a variance, `[channels]` each. */
export interface Statistics {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** A forward pass of either kind. */
export interface Forward {
  readonly x: Tensor;
  readonly view: ChannelView;
  readonly epsilon: number;
  /** `[channels]` each; null where the layer has none. */
  readonly gamma: Tensor | null;
  readonly beta: Tensor | null;
  readonly moving: Statistics;
  /** Whether gamma and beta get gradients (clause 4.1). */
  readonly ofParameters: boolean;
  /** Whether what the gradients are made of is wanted, for a backward pass without a tape. */
  readonly keeps: boolean;
}

/** What makes a forward pass a training step. */
export interface Training extends Pick<BatchNormConfig, "momentum" | "varianceEstimator"> {
  readonly mask: Tensor | null;
  /** Takes in the moving statistics after the batch, as the very last act: nothing can fail any more (clause 6.3). */
  update(next: Statistics): void;
}

/** A result, and where it was asked for, what its gradients are made of: the caller's to dispose of. */
export interface ForwardResult {
  readonly y: Tensor;
  readonly saved?: Operands<Tensor> | undefined;
}

/**
 * y = gamma * (x - mean) / sqrt(variance + epsilon) + beta with the moving statistics, as one differentiable operation: inside
 * `tf.grad`, `tf.variableGrads` or `optimizer.minimize`, x, gamma and beta get the gradients of section 10 in closed form.
 */
export function infer(tf: Tf, pass: Forward): ForwardResult {
  const { x, view, epsilon, moving } = pass;
  const { gamma, beta } = learnedOf(pass);
  return recorded(tf, pass, false, () => {
    const operands = { x, ...moving, gamma };
    const [y] = registeredArithmetic(tf).normalize({ ...operands, beta }, { view, epsilon });
    return { y, operands };
  });
}

/** The same with the statistics of the batch, which the moving ones take in. */
export function train(tf: Tf, pass: Forward, { mask, update, ...options }: Training): ForwardResult {
  const { x, view, epsilon, moving, keeps } = pass;
  const { gamma, beta } = learnedOf(pass);
  const masked = mask === null ? undefined : mask;
  const wantsStatistics = keeps || tf.engine().isTapeOn();
  return recorded(tf, pass, true, () => {
    const inputs = { x, mask: masked, gamma, beta, movingMean: moving.mean, movingVariance: moving.variance };
    const results = registeredArithmetic(tf).train(inputs, { view, epsilon, wantsStatistics, ...options });
    const [y, movingMean, movingVariance, mean, variance, remainder, downscale, count] = results;
    update({ mean: movingMean, variance: movingVariance });
    return { y, operands: { x, mask: masked, gamma, mean, variance, remainder, downscale, count } };
  });
}

function learnedOf({ gamma, beta }: Forward): { gamma: Tensor | undefined; beta: Tensor | undefined } {
  return { gamma: gamma ?? undefined, beta: beta ?? undefined };
}

/** Runs a forward pass, and puts it on the tape where there is one. */
function recorded(
  tf: Tf,
  { x, gamma, beta, view, epsilon, ofParameters, keeps }: Forward,
  throughStatistics: boolean,
  forward: () => { readonly y: Tensor; readonly operands: Operands<Tensor> },
): ForwardResult {
  if (!tf.engine().isTapeOn()) {
    const { y, operands } = forward();
    return { y, saved: keeps ? sharedBy(share, tf, operands) : undefined };
  }
  // A layer may be pinned to another backend than the one that is active when the tape is played back.
  const backendName = tf.getBackend();
  const attributes = { view, epsilon, ofParameters, throughStatistics };
  let saved: Operands<Tensor> | undefined;
  let onTape: readonly Tensor[] = [];
  const operation = tf.customGrad(() => {
    const { y, operands } = forward();
    if (keeps) saved = sharedBy(shareOnTape, tf, operands);
    const shared = sharedBy(shareOnTape, tf, operands);
    onTape = Object.values(shared);
    const gradFunc = (dy: Tensor): Tensor[] => {
      const [dx, dgamma, dbeta] = onBackend(tf, backendName, () => gradients(tf, dy, shared, attributes));
      if (!ofParameters) return [dx];
      return [dx, ...(gamma ? [dgamma] : []), ...(beta ? [dbeta] : [])];
    };
    return { value: y, gradFunc };
  });
  const learned = ofParameters ? [gamma, beta].filter((parameter) => parameter !== null) : [];
  const y = operation(x, ...learned);
  // The tape disposes of what its nodes have saved. The `save` of customGrad would clone it first (tfjs 4.22).
  tf.engine()
    .state.activeTape.at(-1)!
    .saved!.push(...onTape);
  return { y, saved };
}

function sharedBy(how: typeof share, tf: Tf, operands: Operands<Tensor>): Operands<Tensor> {
  const shared = present(operands);
  for (const name in shared) shared[name] = how(tf, shared[name]);
  return shared as unknown as Operands<Tensor>;
}

/**
 * `[dx]` or `[dx, dgamma, dbeta]`; see `Arithmetic.gradients`. While an outer gradient is being recorded they come as ordinary
 * ops, which can be differentiated again.
 */
export function gradients(tf: Tf, dy: Tensor, operands: Operands<Tensor>, attributes: GradientAttributes): Tensor[] {
  if (tf.engine().isTapeOn()) return differentiableGradients(tf, { ...operands, dy }, attributes);
  return registeredArithmetic(tf).gradients({ ...operands, dy }, attributes);
}
