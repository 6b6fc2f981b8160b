import { BatchNormError } from "@batchnorm/spec";
import { type BatchNormJSON, type ConfigAndState, fromJSON } from "@batchnorm/spec/convert";
import { Draft } from "../edit/draft.ts";
import { quoted } from "../errors.ts";
import { complete } from "../file/complete.ts";
import type { OnnxModel } from "../file/model.ts";
import type { ArrayName, Match } from "../find/match.ts";
import { analyse } from "../find/matches.ts";
import { cannotWrite } from "./place.ts";
import { type ArrayWriter, Writer } from "./writer.ts";

/** What was written of a layer. */
export interface WrittenState {
  readonly layer: string;
  /**
   * The arrays and numbers that changed, by the names of the spec; `multiplier` and `offset` are what the exporter
   * computed of them.
   */
  readonly changed: readonly string[];
  /** Tensors that others read, too: the layer got copies, and the others see no change. */
  readonly unshared: readonly string[];
}

export interface WriteStatesResult {
  readonly model: OnnxModel;
  readonly written: readonly WrittenState[];
}

/**
 * Writes states into a model: parameters, statistics, epsilon, and momentum where the form has one. Only what differs
 * is written; a tensor that is shared with anything else is copied first. All other tensors, unknown fields and
 * metadata stay byte for byte. The model that is given is not changed.
 *
 * The config's axis is not compared: a file may have its channels elsewhere than the framework had. For `Mul+Add` and
 * `Sub+Mul+Add` the constants that the exporter had computed are computed anew, in float64, and rounded once.
 *
 * @throws BatchNormError `invalid-argument` for a layer that the model does not have; what `fromJSON` throws;
 * `channel-mismatch`; `cannot-convert` for a layer that has no place for a state: with batch statistics, statistics per
 * position, or arrays that are computed or lie in a function that is called more than once, or whose type does not hold
 * the numbers.
 */
export async function writeStates(model: OnnxModel, states: Readonly<Record<string, BatchNormJSON>>): Promise<WriteStatesResult> {
  if (typeof states !== "object" || states === null || Array.isArray(states)) {
    throw new BatchNormError("invalid-argument", "The states are wrong", states, "an object with the states of layers by their names");
  }
  const read = new Map(Object.entries(states).map(([name, json]) => [name, fromJSON(json)]));
  return complete(model, () => writeAll(model, read));
}

function writeAll(model: OnnxModel, states: ReadonlyMap<string, ConfigAndState>): WriteStatesResult {
  const draft = new Draft(model.proto);
  const written: WrittenState[] = [];
  let analysis = analyse(draft.proto, model.external);
  let analysed = draft.changes;
  const { matches, names } = analysis;
  for (const [name, state] of states) {
    const known = matches[names.indexOf(name)];
    if (known === undefined) {
      throw new BatchNormError("invalid-argument", "The model has no such layer", name, names.slice(0, 8).join(", ") || "no layers");
    }
    // Anew where a layer got tensors of its own, since the old ones may now be another layer's alone. Numbers that were
    // written in place were read by that layer only. By its node, since a name may be shared until then.
    if (draft.changes !== analysed) {
      analysis = analyse(draft.proto, model.external);
      analysed = draft.changes;
    }
    const match = analysis.matches.find((each) => each.nodes[0] === known.nodes[0] && each.scope.path === known.scope.path)!;
    const writer = new Writer(draft, model.external, analysis, match, name);
    writeLayer(writer, match, name, state);
    written.push({ layer: name, changed: writer.changed, unshared: writer.unshared });
    draft.removeUnused();
  }
  return { model: { proto: draft.proto, external: model.external }, written };
}

function writeLayer(writer: ArrayWriter, match: Match, name: string, { config, state }: ConfigAndState): void {
  if (match.perPosition)
    throw cannotWrite(`The layer ${quoted(name)} has statistics per position`, "spatial = 0", "statistics per channel");
  const channels = state.statistics.movingMean.length;
  if (match.channels !== channels) {
    throw new BatchNormError("channel-mismatch", `The layer ${quoted(name)} has another number of channels`, channels, `${match.channels}`);
  }
  const arrays: Record<ArrayName, Float32Array> = {
    gamma: state.parameters.gamma ?? new Float32Array(channels).fill(1),
    beta: state.parameters.beta ?? new Float32Array(channels),
    movingMean: state.statistics.movingMean,
    movingVariance: state.statistics.movingVariance,
  };
  switch (match.form) {
    case "BatchNormalization":
      writer.operator(arrays, config);
      break;
    case "unfolded":
      writer.unfolded(arrays, config.epsilon);
      break;
    case "Mul+Add":
    case "Sub+Mul+Add":
      writer.steps(arrays, config.epsilon);
      break;
    default:
      throw cannotWrite(
        `The layer ${quoted(name)} computes its statistics from the batch`,
        match.form,
        "a layer with statistics in the file",
      );
  }
}
