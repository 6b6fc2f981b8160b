import { BatchNormError, maskShape, sameShape } from "@batchnorm/spec";
import { cast, reshape, type Tensor, tile } from "@tensorflow/tfjs-core";
import { layers, type SymbolicTensor } from "@tensorflow/tfjs-layers";

type Layer = InstanceType<typeof layers.Layer>;

/**
 * The mask of x, bool over all its axes but the channel axis, or null. A mask of fewer axes, such as the `[batch, time]` of an
 * embedding over `[batch, time, height, width, channels]`, holds for everything behind them.
 *
 * tfjs 4.22 passes the mask of a layer on to every later one that has none of its own, so inside a model a mask counts only where
 * it can have come with x, and where it fits x.
 *
 * @throws BatchNormError `invalid-mask` for a mask that does not fit, given to a layer that is in no model.
 */
export function maskOf(layer: Layer, given: Tensor | readonly Tensor[] | null | undefined, x: Tensor, axis: number): Tensor | null {
  const mask = Array.isArray(given) ? (given[0] as Tensor) : ((given ?? null) as Tensor | null);
  const connected = layer.inboundNodes.length > 0;
  if (mask === null || (connected && !layer.inboundNodes.some(({ inputTensors }) => inputTensors.some(carriesMask)))) return null;
  const wanted = maskShape(x.shape, axis);
  if (sameShape(mask.shape, wanted.slice(0, mask.rank))) return spread(cast(mask, "bool"), wanted);
  if (connected) return null;
  throw new BatchNormError(
    "invalid-mask",
    "The mask does not fit x",
    mask.shape,
    `[${wanted.join(", ")}], the axes of x but the channel axis`,
  );
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
