import { type BatchNormConfig, resolveConfig, type VarianceEstimator } from "@batchnorm/spec";
import { fromKerasConfig } from "@batchnorm/spec/convert";
import { isObject, type JsonObject } from "../container/json.ts";
import type { ConfigFromFile, ConfigKey, Framework } from "../layer.ts";

/**
 * The config that a file has of a layer. The dtype is left out: what the variables really are is in the file, and they are widened.
 *
 * @throws BatchNormError what `fromKerasConfig` throws: renorm, several axes, unknown keys, other classes.
 */
export function readKerasConfig(json: JsonObject, framework: Framework | null): ConfigFromFile {
  const { dtype: _, ...inner } = isObject(json.config) ? json.config : {};
  const estimator = framework === "tf-keras" ? tfKerasEstimator(json) : framework === null ? null : "population";
  const { config } = fromKerasConfig({ ...json, config: inner }, estimator === null ? {} : { varianceEstimator: estimator });
  return { config, assumed: estimator === null ? ["varianceEstimator"] : [] };
}

/** What Keras takes by default, for a file that has variables and nothing else. */
export function assumedConfig(present: Pick<BatchNormConfig, "center" | "scale">, framework: Framework | null): ConfigFromFile {
  const assumed: ConfigKey[] = ["axis", "momentum", "epsilon", "trainable"];
  if (framework !== "keras" && framework !== "tfjs") assumed.push("varianceEstimator");
  return { config: resolveConfig({ center: present.center, scale: present.scale }), assumed };
}

/** tf-keras's estimator depends on the rank (clause 7.3), which its config tells for a layer that was built, or comes first. */
function tfKerasEstimator(json: JsonObject): VarianceEstimator | null {
  const config = isObject(json.config) ? json.config : {};
  const build = isObject(json.build_config) ? json.build_config : {};
  const shape = build.input_shape ?? config.batch_input_shape;
  const axis = Array.isArray(config.axis) && config.axis.length === 1 ? config.axis[0] : config.axis;
  if (!Array.isArray(shape) || typeof axis !== "number") return null;
  const rank = shape.length;
  const positive = axis < 0 ? axis + rank : axis;
  const fused = (rank === 4 && (positive === 1 || positive === 3)) || (rank === 5 && (positive === 1 || positive === 4));
  return fused ? "sample" : "population";
}
