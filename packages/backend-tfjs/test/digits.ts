import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";

/** What Keras gave; see tools/record-fine-tuning.py. Every array is `[channels]`. */
interface Recorded {
  readonly loss: number;
  readonly norms: Readonly<Record<NormName, Readonly<Record<"gamma" | "beta" | "movingMean" | "movingVariance", readonly number[]>>>>;
}

interface FineTuning {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly images: string;
  readonly labels: readonly number[];
  readonly steps: readonly { readonly float32: Recorded; readonly float64: Recorded }[];
}

/** The batch normalizations of the model; Keras froze the middle one, and model.json says so. */
export type NormName = "first" | "middle" | "last";

const FOLDER = new URL("fixtures/digits/", import.meta.url);

/** Keras's fine-tuning run on real digits, as it was recorded. */
export const fineTuning: FineTuning = JSON.parse(readFileSync(new URL("fine-tuning.json", FOLDER), "utf8"));

/** A Keras model as tensorflowjs_converter writes it, trained to read digits. Its last layer gives logits. */
export async function loadDigitsModel(): Promise<tf.Sequential> {
  const { modelTopology, weightsManifest } = JSON.parse(readFileSync(new URL("model.json", FOLDER), "utf8"));
  const bytes = readFileSync(new URL("weights.bin", FOLDER));
  const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const load = async (): Promise<tf.io.ModelArtifacts> => ({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData });
  return (await tf.loadLayersModel({ load })) as tf.Sequential;
}

/** The images `[256, 8, 8, 1]` and the one-hot labels `[256, 10]` of the recorded batches, in their order. */
export function digits(): { images: tf.Tensor; labels: tf.Tensor } {
  const pixels = Float32Array.from(Buffer.from(fineTuning.images, "base64"), (value) => value / 16);
  return {
    images: tf.tensor(pixels, [fineTuning.labels.length, 8, 8, 1]),
    labels: tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d([...fineTuning.labels], "int32"), 10), "float32")),
  };
}

/** Compiles the model and trains it as the recording did: plain SGD, one pass over the batches in their order. */
export async function fineTune(model: tf.Sequential, onStep: (step: number, loss: number) => void = () => {}): Promise<void> {
  const { images, labels } = digits();
  const loss = (truth: tf.Tensor, logits: tf.Tensor): tf.Tensor => tf.losses.softmaxCrossEntropy(truth, logits);
  model.compile({ optimizer: tf.train.sgd(fineTuning.learningRate), loss });
  const onBatchEnd = (batch: number, logs?: tf.Logs): void => onStep(batch, logs!.loss);
  await model.fit(images, labels, {
    batchSize: fineTuning.batchSize,
    epochs: 1,
    shuffle: false,
    verbose: 0,
    callbacks: { onBatchEnd: async (b, l) => onBatchEnd(b, l) },
  });
  tf.dispose([images, labels]);
}

/** The weights of a layer, in Keras's order. */
export function weightsOf(model: tf.LayersModel, layer: string): Float32Array[] {
  return model
    .getLayer(layer)
    .getWeights()
    .map((weight) => weight.dataSync().slice() as Float32Array);
}
