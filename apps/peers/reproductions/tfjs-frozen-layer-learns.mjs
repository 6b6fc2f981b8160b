import * as tf from "@tensorflow/tfjs";

const layer = tf.layers.batchNormalization({ inputShape: [1], momentum: 0.5 });
const model = tf.sequential({ layers: [layer, tf.layers.dense({ units: 1 })] });
layer.trainable = false;
model.compile({ loss: "meanSquaredError", optimizer: "sgd" });
await model.fit(tf.tensor2d([[10], [20]]), tf.tensor2d([[0], [0]]), { verbose: 0 });

const [gamma, beta, movingMean, movingVariance] = layer.getWeights().map((weight) => weight.dataSync()[0]);
console.log({ gamma, beta, movingMean, movingVariance });
console.log("expected, since it is frozen: movingMean 0 and movingVariance 1, as before");
