import { BatchNormError, maskShape, resolveAxis, sameShape } from "@batchnorm/spec";
import { cast, reshape, type Tensor, tile } from "@tensorflow/tfjs-core";
import { layers, type SymbolicTensor } from "@tensorflow/tfjs-layers";

type Layer = InstanceType<typeof layers.Layer>;

/**
 * The mask of x, bool over all its axes but the channel axis, or null (clause 9.3). A number counts as true unless it is 0.
 *
 * tfjs 4.22 passes the mask of a layer on to every later one that has none of its own, so inside a model a mask counts only where
 * it can have come with x, and where it fits x. There its axes are the first axes of x, as in Keras. One that reaches as far as
 * the channel axis hides other elements in one channel than in another, for which there is no formula in the contract (and in
 * Keras a wrong one: it divides by the count of the mask's own elements).
 *
 * Given to a layer that is in no model, a mask has the shape of x without the channel axis. In both, one of fewer axes, such as
 * the `[batch, time]` of an embedding over `[batch, time, height, width, channels]`, holds for everything behind them.
 *
 * @throws BatchNormError `invalid-mask` for a mask that does not fit a layer in no model, or that differs between channels.
 */
export function maskOf(layer: Layer, given: Tensor | readonly Tensor[] | null | undefined, x: Tensor, axis: number): Tensor | null {
  const mask = Array.isArray(given) ? (given[0] as Tensor) : ((given ?? null) as Tensor | null);
  if (mask === null) return null;
  const connected = layer.inboundNodes.length > 0;
  const wanted = maskShape(x.shape, axis);
  if (!connected) {
    if (sameShape(mask.shape, wanted.slice(0, mask.rank))) return spread(cast(mask, "bool"), wanted);
    throw new BatchNormError(
      "invalid-mask",
      "The mask does not fit x",
      mask.shape,
      `[${wanted.join(", ")}], the axes of x but the channel axis`,
    );
  }
  if (!layer.inboundNodes.some(({ inputTensors }) => inputTensors.some(carriesMask))) return null;
  // A mask has an axis less than what it came with: one of x's own rank was made for another tensor.
  if (mask.rank >= x.rank || !sameShape(mask.shape, x.shape.slice(0, mask.rank))) return null;
  const channelAxis = resolveAxis(axis, x.rank);
  if (mask.rank > channelAxis) {
    throw new BatchNormError(
      "invalid-mask",
      `The mask that came with x covers its channel axis ${channelAxis}`,
      mask.shape,
      "a mask over the axes before the channel axis, or no mask",
    );
  }
  return spread(cast(mask, "bool"), wanted);
}

/** Whether a mask can come with this tensor: made by its layer, passed on by it, or fed into the model. */
function carriesMask(tensor: SymbolicTensor): boolean {
  const { sourceLayer, nodeIndex, inputs } = tensor;
  if (sourceLayer.getClassName() === "InputLayer") return true;
  if (!sourceLayer.supportsMasking) return false;
  if (sourceLayer.computeMask !== layers.Layer.prototype.computeMask) return true;
  return (sourceLayer.inboundNodes[nodeIndex]?.inputTensors ?? inputs).some(carriesMask);
}

function spread(mask: Tensor, shape: readonly number[]): Tensor {
  if (mask.rank === shape.length) return mask;
  const behind = shape.slice(mask.rank);
  const ones = (dimensions: readonly number[]): number[] => dimensions.map(() => 1);
  return tile(reshape(mask, [...mask.shape, ...ones(behind)]), [...ones(mask.shape), ...behind]);
}
