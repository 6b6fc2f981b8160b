import * as tf from "@tensorflow/tfjs";

const [mean, variance, offset, scale] = [0, 1, 0, 1].map((value) => tf.tensor1d([value, value]));
for (const shape of [
  [1, 1, 2, 2],
  [1, 1, 1, 2, 2],
]) {
  const forward = (input) => tf.batchNorm(input, mean, variance, offset, scale);
  const y = forward(tf.ones(shape));
  try {
    console.log(`rank ${shape.length}: output [${y.shape}], gradient [${tf.grad(forward)(tf.ones(shape)).shape}]`);
  } catch (error) {
    console.log(`rank ${shape.length}: output [${y.shape}], gradient: ${error.message}`);
  }
}
