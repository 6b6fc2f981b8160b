import * as tf from "@tensorflow/tfjs";

const x = tf.tensor2d([[1e20], [-1e20]]);
const { mean, variance } = tf.moments(x, 0);
console.log({ mean: mean.arraySync(), variance: variance.arraySync() }, tf.batchNorm(x, mean, variance).arraySync());
console.log("expected: 1 and -1, for the squares overflow float32, and x and its deviation do not");
