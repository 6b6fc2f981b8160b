import { fromJSON } from "@batchnorm/spec/convert";
import type { FoundLayer } from "../find/layer.ts";
import { ARRAY_NAMES, type ArrayName } from "../find/match.ts";
import { type FilledLayer, type FillStatesResult, multiplierOf } from "../states/fill-states.ts";
import { short } from "./array-findings.ts";
import { type Finding, finding } from "./finding.ts";

/** What of a layer came out of the weight file. */
export type FilledPart = ArrayName | "epsilon" | "momentum";

/** A layer with what its file lacks, out of the weight file. Statistics of the batch are no gap: the layer has none. */
export function fillLayer(
  layer: FoundLayer,
  { json }: FilledLayer,
): { readonly layer: FoundLayer; readonly filled: readonly FilledPart[] } {
  const { config, state } = fromJSON(json);
  const filled: FilledPart[] = [];
  const given = { ...state.parameters, ...state.statistics };
  const own = { ...layer.parameters, ...layer.statistics };
  const missing = { ...layer.missing };
  for (const name of ARRAY_NAMES) {
    if (layer.missing[name] !== "folded-into-constants") continue;
    own[name] = given[name];
    // Without scale or center the layer has none: the weight file knows that, too.
    if (given[name] === null) missing[name] = "absent";
    else delete missing[name];
    filled.push(name);
  }
  if (layer.epsilon === null) filled.push("epsilon");
  if (layer.momentum === null) filled.push("momentum");
  const { gamma, beta, movingMean, movingVariance } = own;
  return {
    layer: {
      ...layer,
      epsilon: layer.epsilon ?? config.epsilon,
      momentum: layer.momentum ?? config.momentum,
      parameters: { gamma, beta },
      statistics: { movingMean, movingVariance },
      missing,
    },
    filled,
  };
}

/** Whether the file and the weight file speak of the same layer. */
export function weightsFindings(layer: FoundLayer, { state: name, json, agrees, disagreeing }: FilledLayer): Finding[] {
  const found: Finding[] = [];
  const disagrees = (channels: readonly number[], sentence: string): void => {
    found.push(finding("weights-disagree", layer.name, sentence, channels));
  };
  const of = (channels: readonly number[]): string => `${channels.length} of ${layer.channels ?? channels.length} channels`;
  if (agrees.epsilon === false) {
    disagrees([], `epsilon is ${short(layer.epsilon!)}, and ${short(json.config.epsilon)} in the weights of ${JSON.stringify(name)}.`);
  }
  for (const array of ARRAY_NAMES) {
    const channels = disagreeing[array];
    if (channels !== undefined) disagrees(channels, `${array} is not that of the weights of ${JSON.stringify(name)} in ${of(channels)}.`);
  }
  const { multiplier, offset } = disagreeing;
  if (multiplier !== undefined) {
    const [first] = multiplier;
    const [own, wanted] = [layer.affine!.multiplier[first], multiplierOf(fromJSON(json))[first]];
    disagrees(
      multiplier,
      `k is ${precise(own)} in channel ${first}, where gamma / sqrt(variance + epsilon) of the weights of ${JSON.stringify(name)} is ${precise(wanted)} (${of(multiplier)}).`,
    );
  } else if (offset !== undefined && found.length === 0) {
    const sentence = `l is not beta - mean k in ${of(offset)}: the exporter put the bias of the node before the layer into it.`;
    found.push(finding("merged-bias", layer.name, sentence, offset));
  }
  return found;
}

/** Layers without weights, and weights without a layer. */
export function unmatchedFindings({ unmatched, unused }: FillStatesResult): Finding[] {
  const found = unmatched.map((name) => finding("no-weights", name, "The weight file has no state for the layer, by name or by numbers."));
  if (unused.length > 0) {
    const names = unused.slice(0, 8).map((name) => JSON.stringify(name));
    const sentence = `The weight file has states that belong to no layer here: ${names.join(", ")}${unused.length > 8 ? " and more" : ""}. An exporter folds layers away.`;
    found.push(finding("unused-weights", null, sentence));
  }
  return found;
}

/** Numbers that differ late differ visibly. */
function precise(value: number): string {
  return String(Number(value.toPrecision(8)));
}
