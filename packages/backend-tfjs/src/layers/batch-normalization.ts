import {
  BatchNormError,
  channelView,
  decideMode,
  elementsPerChannel,
  type Mode,
  resolveAxis,
  type VarianceEstimator,
} from "@batchnorm/spec";
import type { Tensor } from "@tensorflow/tfjs-core";
import * as tf from "@tensorflow/tfjs-core";
import { type Forward, infer, type Statistics, train } from "../operation.ts";
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
      return mode.normalizeWith === "moving"
        ? infer(tf, forwardOf(this, x, mode)).y
        : trainLayer(this, x, maskOf(this, mask, x, this.axis), mode);
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

function trainLayer(layer: BatchNormalization, x: Tensor, mask: Tensor | null, mode: Mode): Tensor {
  const pass = forwardOf(layer, x, mode);
  if (elementsPerChannel(pass.view) === 0) {
    throw new BatchNormError("empty-batch", "There is nothing to train on", x.shape, "at least one element per channel");
  }
  const { momentum, varianceEstimator = "population" } = layer;
  const update = (next: Statistics): void => {
    layer.movingMean.write(next.mean);
    layer.movingVariance.write(next.variance);
  };
  return train(tf, pass, { mask, momentum, varianceEstimator, update }).y;
}

function forwardOf(layer: BatchNormalization, x: Tensor, mode: Mode): Forward {
  return {
    x,
    view: channelView(x.shape, layer.axis),
    epsilon: layer.epsilon,
    gamma: layer.gamma?.read() ?? null,
    beta: layer.beta?.read() ?? null,
    moving: { mean: layer.movingMean.read(), variance: layer.movingVariance.read() },
    ofParameters: mode.parameterGradients,
    keeps: false,
  };
}
