import {
  BatchNormError,
  type ChannelView,
  channelView,
  decideMode,
  elementsPerChannel,
  type Mode,
  resolveAxis,
  type VarianceEstimator,
} from "@batchnorm/spec";
import type { Tensor } from "@tensorflow/tfjs-core";
import * as tf from "@tensorflow/tfjs-core";
import type { GradientAttributes, Operands } from "../kernels/arithmetic.ts";
import { batchStatistics, movingAverage, normalize, type Statistics } from "../operation.ts";
import { type BatchNormalizationArgs, resolveArguments } from "./arguments.ts";
import { TfjsBatchNormalization } from "./base.ts";
import { enforceConstraint } from "./constraint.ts";
import { followContainers } from "./container.ts";
import { maskOf } from "./mask.ts";

/** What tfjs passes along with x. */
interface CallArguments {
  readonly training?: boolean;
  readonly mask?: Tensor | readonly Tensor[] | null;
}

/**
 * Keras's BatchNormalization for tfjs-layers, in place of tfjs's own: any axis, rank 2 and up, masks, scale and center off, and a
 * `trainable = false` that freezes. It has the config, the weights and the name of tfjs's layer, which it extends; what it
 * computes is its own.
 */
export class BatchNormalization extends TfjsBatchNormalization {
  /** @nocollapse tfjs finds a class of a model.json by this name. */
  static override readonly className: string = "BatchNormalization";

  /** What enters the moving variance. Absent on a layer that `replaceBatchNorms` took over: population. */
  readonly varianceEstimator?: VarianceEstimator;

  /**
   * @throws BatchNormError `invalid-argument`, `invalid-axis`, `invalid-epsilon`, `invalid-momentum`, `cannot-convert`.
   */
  constructor(args: BatchNormalizationArgs = {}) {
    const { varianceEstimator, ...resolved } = resolveArguments(args);
    super(resolved);
    this.varianceEstimator = varianceEstimator!;
    followContainers();
  }

  /** See `followContainers`. */
  get followsContainers(): boolean {
    return true;
  }

  /**
   * @throws BatchNormError `invalid-rank`, `invalid-axis`.
   */
  override build(inputShape: (number | null)[] | (number | null)[][]): void {
    const shape = Array.isArray(inputShape[0]) ? inputShape[0] : inputShape;
    if (shape.length < 2) throw new BatchNormError("invalid-rank", "x has too few axes", shape, "a batch axis and a channel axis at least");
    resolveAxis(this.axis, shape.length);
    super.build(inputShape as never);
    this.enforceConstraints();
  }

  /**
   * Normalizes x; with `training` on a layer that is not frozen, the moving statistics take the batch in.
   *
   * @throws BatchNormError `empty-batch`, `invalid-mask`.
   */
  override call(inputs: Tensor | Tensor[], { training = false, mask = null }: CallArguments = {}): Tensor {
    return tf.tidy(() => {
      const [input] = Array.isArray(inputs) ? inputs : [inputs];
      const x = input.dtype === "float32" ? input : tf.cast(input, "float32");
      const mode = decideMode(Boolean(training), this.trainable);
      return mode.normalizeWith === "batch" ? train(this, x, maskOf(this, mask, x, this.axis), mode) : infer(this, x, mode);
    });
  }

  /** As in Keras, a frozen layer pays no penalty for its parameters. */
  override calculateLosses(): tf.Scalar[] {
    return this.trainable ? super.calculateLosses() : [];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { varianceEstimator = "population" } = this;
    // Keras knows no such key.
    return { ...super.getConfig(), ...(varianceEstimator === "population" ? {} : { varianceEstimator }) };
  }

  /** Used by `replaceBatchNorms`, too, on weights that exist already. */
  enforceConstraints(): void {
    enforceConstraint(this.gamma, this.gammaConstraint);
    enforceConstraint(this.beta, this.betaConstraint);
  }
}

// Functions and not private methods: a layer that `replaceBatchNorms` took over was not constructed by this class.

function infer(layer: BatchNormalization, x: Tensor, mode: Mode): Tensor {
  return forward(layer, x, channelView(x.shape, layer.axis), mode, movingOf(layer));
}

function train(layer: BatchNormalization, x: Tensor, mask: Tensor | null, mode: Mode): Tensor {
  const view = channelView(x.shape, layer.axis);
  if (elementsPerChannel(view) === 0) {
    throw new BatchNormError("empty-batch", "There is nothing to train on", x.shape, "at least one element per channel");
  }
  const { momentum, varianceEstimator = "population" } = layer;
  const moving = movingOf(layer);
  const statistics = batchStatistics(tf, x, view, mask, moving);
  const next = movingAverage(tf, moving, statistics, { view, momentum, varianceEstimator });
  const y = forward(layer, x, view, mode, statistics);
  // Nothing can fail any more (clause 6.3).
  layer.movingMean.write(next.mean);
  layer.movingVariance.write(next.variance);
  return y;
}

function movingOf({ movingMean, movingVariance }: BatchNormalization): Statistics {
  return { mean: movingMean.read(), variance: movingVariance.read() };
}

function forward(layer: BatchNormalization, x: Tensor, view: ChannelView, mode: Mode, statistics: Statistics): Tensor {
  const gamma = layer.gamma?.read();
  const operands: Operands<Tensor> = { x, ...statistics, gamma };
  const attributes: GradientAttributes = {
    view,
    epsilon: layer.epsilon,
    ofParameters: mode.parameterGradients,
    throughStatistics: mode.normalizeWith === "batch",
  };
  return normalize(tf, operands, layer.beta?.read() ?? null, attributes);
}
