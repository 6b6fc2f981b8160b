import { toOnnx } from "@batchnorm/backend-onnx/custom";
import { type Finding, inspect, readModel } from "@batchnorm/onnx-model";
import type { ReadLayer, WeightFile, WeightLayer } from "@batchnorm/weights";
import { short } from "../figures/format.ts";
import { counted, type LookArray, type LookLayer, type LookReport } from "./report.ts";

/** A weight file as the page shows it. */
export async function weightsReport(file: string, { format, layers }: WeightFile): Promise<LookReport> {
  return {
    file,
    isModel: false,
    facts: [`a file of the format ${format}`],
    layers: await Promise.all(layers.map(layerReport)),
    findings: [],
    notes: [],
  };
}

async function layerReport(layer: WeightLayer): Promise<LookLayer> {
  const { name, path, framework, recognizedBy, storedAs, config, assumed, state, reason } = layer;
  const says = (key: (typeof assumed)[number], value: string): string => `${key} ${value}${assumed.includes(key) ? " (assumed)" : ""}`;
  const array = (name: LookArray["name"], kind: LookArray["kind"], values: Float32Array | null | undefined): LookArray => ({
    name,
    kind,
    values: values ?? null,
    missing: values === null ? "the layer has none" : values === undefined ? "cannot be read" : null,
  });
  return {
    name: name === path ? name : `${name} (${path})`,
    facts: [
      ...(framework === null ? [] : [`of ${framework}`]),
      ...(state === null ? [] : [counted(state.statistics.movingMean.length, "channel")]),
      ...(config === null
        ? []
        : [
            says("axis", String(config.axis)),
            says("epsilon", short(config.epsilon)),
            says("momentum", short(config.momentum)),
            ...(config.trainable ? [] : ["frozen"]),
          ]),
      `stored as ${storedAs}`,
      ...(recognizedBy === "config" ? [] : [`recognized by its ${recognizedBy}`]),
    ],
    arrays: [
      array("gamma", "parameter", state?.parameters.gamma),
      array("beta", "parameter", state?.parameters.beta),
      array("movingMean", "statistic", state?.statistics.movingMean),
      array("movingVariance", "statistic", state?.statistics.movingVariance),
    ],
    findings: layer.state === null ? [] : await findingsOf(layer),
    fold: null,
    reason: reason === null ? null : reason.message,
  };
}

/** The findings of a state are those of an ONNX model that has this one layer. */
async function findingsOf({ state, config }: ReadLayer): Promise<readonly Finding[]> {
  // The estimator, which ONNX cannot say, is no matter of the numbers.
  const model = readModel(toOnnx(state, { ...config, varianceEstimator: "population" }));
  return (await inspect(model)).findings;
}
