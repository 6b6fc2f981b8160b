import type { Tensor } from "@tensorflow/tfjs-core";
import { type LayerVariable, layers } from "@tensorflow/tfjs-layers";

/** The arguments of tfjs's own layer: Keras's names in camel case. */
export type TfjsBatchNormalizationArgs = NonNullable<Parameters<typeof layers.batchNormalization>[0]>;

type Layer = InstanceType<typeof layers.Layer>;

/** tfjs's own layer with the fields that its types hide. */
export interface TfjsBatchNormalization extends Layer {
  axis: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly center: boolean;
  readonly scale: boolean;
  /** Trainable, `[channels]`; undefined where scale is off or the layer is not built. */
  readonly gamma?: LayerVariable;
  /** Trainable, `[channels]`; undefined where center is off or the layer is not built. */
  readonly beta?: LayerVariable;
  readonly movingMean: LayerVariable;
  readonly movingVariance: LayerVariable;
  readonly gammaConstraint: Constraint | null | undefined;
  readonly betaConstraint: Constraint | null | undefined;
}

/** What is done to a weight after every step of an optimizer. */
export interface Constraint {
  apply(weight: Tensor): Tensor;
}

interface TfjsBatchNormalizationClass {
  new (args?: TfjsBatchNormalizationArgs): TfjsBatchNormalization;
  readonly className: string;
}

/**
 * The class of tfjs's own layer. tfjs-layers 4.22 does not export it; an instance tells. The instance has a name so that it does
 * not use up the number that the user's first layer would get.
 */
export const TfjsBatchNormalization: TfjsBatchNormalizationClass = layers.batchNormalization({ name: "unused" })
  .constructor as unknown as TfjsBatchNormalizationClass;
