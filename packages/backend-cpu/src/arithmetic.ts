import type { BackwardPass, FloatTensor, ForwardResult, Gradients, MaskTensor, Pass } from "@batchnorm/spec";
import type { Engine } from "./kernels/engine.ts";
import { type BatchElements, gradients, inputGradient } from "./kernels/gradients.ts";
import { moments } from "./kernels/moments.ts";
import { updateMovingStatistics } from "./kernels/moving-average.ts";
import { normalize } from "./kernels/normalize.ts";
import type { Normalizer } from "./kernels/normalizer.ts";
import { type Elements, elementsOf, newTensor, tensorView } from "./memory/elements.ts";
import { type CpuState, movingNormalizer, trainingArrays } from "./state.ts";

/** What a forward pass keeps for its backward pass. */
export interface Saved {
  /** By reference, not a copy: x must not be written to in between. */
  readonly x: Elements;
  /** What normalized x. */
  readonly normalizer: Normalizer;
  /** Null where the moving statistics did. */
  readonly batch: BatchElements | null;
}

/** A tensor of half precision, too, is a `FloatTensor` to the types in here; `Pass.dtype` tells. */
export type CpuPass = Pass<FloatTensor, CpuState, MaskTensor>;
export type CpuResult = ForwardResult<FloatTensor, Saved>;

/** Normalizes with the moving statistics (clause 5.1). */
export function infer(engine: Engine, pass: CpuPass): CpuResult {
  return normalizeWith(engine, pass, movingNormalizer(pass.state, pass.config.epsilon), null);
}

/** Normalizes with the batch's statistics and updates the moving ones (clauses 6.1 and 7.1). */
export function train(engine: Engine, pass: CpuPass): CpuResult {
  const { config, state, x, view, dtype } = pass;
  const { gamma, beta } = state.parameters;
  const mask = pass.mask === null ? null : pass.mask.data;
  const { batch, variance } = trainingArrays(state);
  const n = moments(engine, elementsOf(x), tensorView(view, dtype), mask, batch.mean, variance);
  // A mask that hides everything says nothing about the data (clause 9.4).
  if (n === 0) return infer(engine, pass);
  batch.set(batch.mean, variance, config.epsilon, gamma, beta);
  const result = normalizeWith(engine, pass, batch, pass.gradient ? { n, mask } : null);
  updateMovingStatistics(state.statistics, batch.mean, variance, n, config);
  state.movingIsCurrent = false;
  return result;
}

function normalizeWith(engine: Engine, pass: CpuPass, normalizer: Normalizer, batch: BatchElements | null): CpuResult {
  const { view, dtype, gradient } = pass;
  const x = elementsOf(pass.x);
  const y = pass.out ?? newTensor(dtype, pass.shape, pass.x);
  normalize(engine, x, elementsOf(y), tensorView(view, dtype), normalizer);
  return { y, saved: gradient ? { x, normalizer, batch } : undefined };
}

/** The gradients of a pass (section 10). */
export function backward(
  engine: Engine,
  { dy, out, pass, saved }: BackwardPass<FloatTensor, CpuState, Saved, MaskTensor>,
): Gradients<FloatTensor> {
  const { x, normalizer, batch } = saved;
  const { mode, state } = pass;
  const view = tensorView(pass.view, pass.dtype);
  const { gamma, beta } = state.parameters;
  const { dgamma, dbeta } = trainingArrays(state);
  const dx = out ?? newTensor(pass.dtype, pass.shape, dy);
  // A frozen layer has nobody who would ask for the sums, and its dx does not need them.
  const compute = mode.parameterGradients ? gradients : inputGradient;
  compute(engine, elementsOf(dy), x, elementsOf(dx), view, normalizer, batch, dgamma, dbeta);
  const learned = (parameter: Float32Array | null, gradient: Float64Array): FloatTensor | null =>
    parameter === null || !mode.parameterGradients ? null : { data: new Float32Array(gradient), shape: [view.channels] };
  return { dx, dgamma: learned(gamma, dgamma), dbeta: learned(beta, dbeta) };
}
