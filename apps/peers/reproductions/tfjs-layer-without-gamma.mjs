import * as tf from "@tensorflow/tfjs";

for (const options of [{ scale: false }, { center: false }]) {
  const layer = tf.layers.batchNormalization(options);
  try {
    layer.apply(tf.tensor2d([[1], [2]]), { training: true });
    console.log(JSON.stringify(options), "trains");
  } catch (error) {
    console.log(JSON.stringify(options), `${error.name}: ${error.message}`);
  }
}
