/**
 * Makes the tfjs files that the tests read: a nested model as tfjs itself saves it, with what tfjs says is in it.
 *
 *     node --conditions=@batchnorm/source tools/make-tfjs-files.ts
 */
import { mkdirSync, writeFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import * as layers from "@tensorflow/tfjs-layers";

const FOLDER = new URL("../test/files/tfjs/", import.meta.url);
const SEED = 20150211;

type Norm = layers.layers.Layer & { getConfig(): Record<string, unknown> };

function build(): { model: layers.LayersModel; norms: Norm[] } {
  const norm = (options: object): Norm => layers.layers.batchNormalization(options) as Norm;
  const inner = layers.sequential({ name: "inner" });
  const norms = [
    norm({ name: "norm", epsilon: 1e-5, momentum: 0.9, inputShape: [3] }),
    norm({ scale: false, name: "no_scale" }),
    norm({ center: false, name: "no_center", trainable: false }),
    norm({ name: "inner_norm", inputShape: [3] }),
  ];
  inner.add(norms[3]);
  const model = layers.sequential({ name: "outer" });
  for (const layer of [norms[0], norms[1], norms[2], layers.layers.dense({ units: 3 }), inner]) model.add(layer as layers.layers.Layer);
  return { model, norms };
}

function setRandomWeights(norm: Norm, seed: number): void {
  const weights = norm.getWeights();
  const values = weights.map((weight, index) => tf.randomNormal(weight.shape, 0, 1, "float32", seed + index));
  values[values.length - 1] = tf.add(tf.abs(values[values.length - 1]), 0.1);
  norm.setWeights(values as tf.Tensor[]);
}

function truthOf(norm: Norm): object {
  const config = norm.getConfig();
  const keys = ["axis", "epsilon", "momentum", "center", "scale", "trainable"];
  const values = norm.getWeights().map((weight) => Array.from(weight.dataSync()));
  return {
    name: norm.name,
    config: Object.fromEntries(keys.map((key) => [key, config[key]])),
    gamma: config.scale ? values.shift() : null,
    beta: config.center ? values.shift() : null,
    movingMean: values.shift(),
    movingVariance: values.shift(),
  };
}

/** Two shards, the second of which begins in the middle of a variable. */
function writeModel(name: string, artifacts: tf.io.ModelArtifacts): void {
  const { modelTopology, format, generatedBy, convertedBy } = artifacts;
  const data = new Uint8Array(tf.io.CompositeArrayBuffer.join(artifacts.weightData as ArrayBuffer));
  const paths = [`${name}.1of2.bin`, `${name}.2of2.bin`];
  writeFileSync(new URL(paths[0], FOLDER), data.subarray(0, 50));
  writeFileSync(new URL(paths[1], FOLDER), data.subarray(50));
  const weightsManifest = [{ paths, weights: artifacts.weightSpecs }];
  writeFileSync(
    new URL(`${name}.model.json`, FOLDER),
    `${JSON.stringify({ format, generatedBy, convertedBy, modelTopology, weightsManifest })}\n`,
  );
}

mkdirSync(FOLDER, { recursive: true });
const { model, norms } = build();
for (const [index, norm] of norms.entries()) setRandomWeights(norm, SEED + 10 * index);
await model.save(
  tf.io.withSaveHandler(async (artifacts) => {
    writeModel("nested", artifacts);
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
  }),
);
writeFileSync(new URL("nested.json", FOLDER), `[\n${norms.map((norm) => JSON.stringify(truthOf(norm))).join(",\n")}\n]\n`);
