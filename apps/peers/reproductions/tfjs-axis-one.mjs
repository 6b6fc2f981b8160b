import * as tf from "@tensorflow/tfjs";

// Two channels on axis 1: of 0 and 4, and of 8 and 12. The initial moving statistics of the first are 0 and 1, of the second 10 and 1.
const layer = tf.layers.batchNormalization({ axis: 1 });
const x = tf.tensor3d([
  [
    [0, 4],
    [8, 12],
  ],
]);
layer.apply(x);
layer.setWeights([tf.ones([2]), tf.zeros([2]), tf.tensor1d([0, 10]), tf.ones([2])]);
console.log("inference:", layer.apply(x).arraySync()[0]);
console.log("expected about [[0, 4], [-2, 2]]");

try {
  tf.variableGrads(() => tf.sum(layer.apply(x, { training: true })), [tf.variable(x), layer.gamma.read()]);
  console.log("the gradient is given");
} catch (error) {
  console.log("gradient:", error.message);
}
