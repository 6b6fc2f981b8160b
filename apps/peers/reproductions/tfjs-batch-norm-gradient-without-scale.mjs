import * as tf from "@tensorflow/tfjs";

const [x, mean, variance, offset, scale] = [tf.tensor2d([[1], [2]]), ...[0, 1, 0, 1].map((value) => tf.tensor1d([value]))];
for (const [what, forward] of [
  ["with both", (input) => tf.batchNorm(input, mean, variance, offset, scale)],
  ["without scale", (input) => tf.batchNorm(input, mean, variance, offset)],
  ["without offset", (input) => tf.batchNorm(input, mean, variance, undefined, scale)],
]) {
  try {
    console.log(what, tf.grad(forward)(x).arraySync());
  } catch (error) {
    console.log(what, `${error.name}: ${error.message}`);
  }
}
