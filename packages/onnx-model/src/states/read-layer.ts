import { BatchNormError, DEFAULT_CONFIG } from "@batchnorm/spec";
import { type ConfigAndState, fromJSON } from "@batchnorm/spec/convert";
import type { OnnxModel } from "../file/model.ts";
import { describe } from "../find/find.ts";
import { analyse } from "../find/matches.ts";
import { jsonOf, lackingOf } from "./read-states.ts";

/** What a model of one layer says of it. */
export interface LayerOfModel extends ConfigAndState {
  readonly name: string;
  /** Whether the layer is in training mode. */
  readonly training: boolean;
}

/**
 * The only batch normalization of a model, at once: its data has to be in the model itself. For all others there is
 * `readStates`.
 *
 * @throws BatchNormError `cannot-convert` for no layer or several, for one whose arrays are not in the file, for data
 * in another file; what `find` and `fromJSON` throw.
 */
export function readLayer(model: OnnxModel): LayerOfModel {
  const { layers } = describe(analyse(model.proto, model.external));
  if (model.external.isWanting) throw cannotConvert("The layer's data is in another file", "external data", "a model with all of its data");
  if (layers.length !== 1) throw cannotConvert("The model is not that of one layer", layers.length, "exactly one batch normalization");
  const [layer] = layers;
  const lacking = lackingOf(layer);
  if (lacking !== null) throw cannotConvert("The layer's state is not in the file", lacking.why, "all arrays as constants of the file");
  const { config, state } = fromJSON(jsonOf(layer, layer.momentum ?? DEFAULT_CONFIG.momentum));
  return { name: layer.name, config, state, training: layer.mode === "training" };
}

function cannotConvert(what: string, received: unknown, expected: string): BatchNormError {
  return new BatchNormError("cannot-convert", what, received, expected);
}
