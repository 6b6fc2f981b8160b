import { BatchNormError } from "@batchnorm/spec";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { type BatchNormalizationArgs, resolveArguments } from "./arguments.ts";
import { TfjsBatchNormalization } from "./base.ts";
import { BatchNormalization } from "./batch-normalization.ts";
import { followContainers, followsContainers, visitLayers } from "./container.ts";

/**
 * Replaces tfjs's own BatchNormalization layers of a model by those of this package, in place: every such layer, of nested models
 * and of wrappers too, keeps its name, weights, config and connections, and the model its optimizer; what it computes is what
 * changes. A layer that is frozen, or is in a model that is, is frozen from now on.
 *
 * @returns all batch normalizations of the model, those that were of this package before included.
 * @throws BatchNormError `invalid-argument` for what is not a LayersModel, such as a GraphModel, whose layers are gone, and for
 * layers of another copy of tfjs-layers; `cannot-convert` for a layer with several axes.
 */
export function replaceBatchNorms(model: LayersModel): BatchNormalization[] {
  if (!Array.isArray(model?.layers)) {
    throw new BatchNormError("invalid-argument", "The model has no layers", model, "a LayersModel, as from tf.loadLayersModel");
  }
  followContainers();
  const found = new Set<BatchNormalization>();
  visitLayers(model, (layer, frozen) => {
    if (layer.getClassName() !== BatchNormalization.className) return;
    const replaced = replace(layer);
    if (frozen) replaced.trainable = false;
    found.add(replaced);
  });
  return [...found];
}

/**
 * Freezes all batch normalizations of a model for fine-tuning, after `replaceBatchNorms`, since tfjs's own cannot be frozen. To
 * unfreeze one, set its `trainable`.
 *
 * @returns and throws what `replaceBatchNorms` does.
 */
export function freezeBatchNorms(model: LayersModel): BatchNormalization[] {
  const layers = replaceBatchNorms(model);
  for (const layer of layers) layer.trainable = false;
  return layers;
}

/**
 * The layer object itself, with another class: everything that refers to it goes on to, which a new object in the graph of
 * tfjs's nodes, caches and models could not be sure of. The class adds no field that its base has not set.
 */
function replace(layer: object): BatchNormalization {
  if (followsContainers(layer)) return layer as BatchNormalization;
  if (!(layer instanceof TfjsBatchNormalization)) {
    throw new BatchNormError(
      "invalid-argument",
      "A layer is not tfjs's own BatchNormalization",
      layer,
      "a layer of the copy of @tensorflow/tfjs-layers that this package imports",
    );
  }
  // tfjs keeps the axis as a model.json has it, which tf-keras writes as a list of one.
  const { axis } = resolveArguments(layer.getConfig() as BatchNormalizationArgs);
  const replaced = Object.setPrototypeOf(layer, BatchNormalization.prototype) as BatchNormalization;
  replaced.axis = axis!;
  replaced.enforceConstraints();
  return replaced;
}
