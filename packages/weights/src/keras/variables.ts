import { type BatchNormConfig, type BatchNormState, resolveState } from "@batchnorm/spec";
import { fromKerasWeights } from "@batchnorm/spec/convert";
import { invalidFile } from "../errors.ts";
import { type ConfigFromFile, cannotConvert, type Framework } from "../layer.ts";
import { readVector, type StoredTensor } from "../tensor.ts";
import { assumedConfig } from "./config.ts";

/** Variables in the order in which the layer made them; only the config says which one is missing. */
export type OrderedVariables = readonly StoredTensor[];

/** Variables by Keras's names: gamma, beta, moving_mean, moving_variance, and those of renorm. */
export type NamedVariables = ReadonlyMap<string, StoredTensor>;

/** @throws BatchNormError `invalid-state` for another number of variables than the config has, and what `readVector` throws. */
export function readOrdered(variables: OrderedVariables, config: BatchNormConfig): BatchNormState {
  return fromKerasWeights(config, variables.map(readVector));
}

/**
 * Which of scale and center the variables show where there is no config. Gamma and beta come first, so three may be either with the two statistics.
 *
 * @throws BatchNormError `cannot-convert` where that is ambiguous, and for renorm, which has more variables.
 */
export function configOfOrdered(variables: OrderedVariables, framework: Framework | null): ConfigFromFile {
  const count = variables.length;
  if (count === 3) {
    throw cannotConvert(
      "Three variables without a config are gamma or beta, and the two statistics",
      count,
      "the .keras file, whose config says whether scale or center is off",
    );
  }
  if (count > 4) throw cannotConvert("The layer has the variables of renorm, which is another layer", count, "2 or 4 variables");
  if (count !== 2 && count !== 4) throw invalidFile("Variables of the layer are missing", count, "2 or 4");
  const { config, assumed } = assumedConfig({ scale: count === 4, center: count === 4 }, framework);
  // Two may also be the first two of four, in a shard that is read by itself.
  return { config, assumed: count === 2 ? [...assumed, "center", "scale"] : assumed };
}

/** @throws BatchNormError `invalid-file` for a missing statistic, and what `readVector` and `resolveState` throw. */
export function readNamed(variables: NamedVariables, config: BatchNormConfig): BatchNormState {
  const read = (name: string): Float32Array | null => {
    const tensor = variables.get(name);
    return tensor === undefined ? null : readVector(tensor);
  };
  const statistic = (name: string): Float32Array => {
    const values = read(name);
    if (values === null) throw invalidFile(`${name} of the layer is missing`, [...variables.keys()], "moving_mean and moving_variance");
    return values;
  };
  return resolveState(config, {
    parameters: { gamma: read("gamma"), beta: read("beta") },
    statistics: { movingMean: statistic("moving_mean"), movingVariance: statistic("moving_variance") },
  });
}

/** @throws BatchNormError `cannot-convert` for renorm, which has variables of its own. */
export function configOfNamed(variables: NamedVariables, framework: Framework | null): ConfigFromFile {
  const more = ["renorm_mean", "renorm_stddev", "moving_stddev"].filter((name) => variables.has(name));
  if (more.length > 0) throw cannotConvert("The layer has the variables of renorm, which is another layer", more, "none of them");
  return assumedConfig({ scale: variables.has("gamma"), center: variables.has("beta") }, framework);
}
