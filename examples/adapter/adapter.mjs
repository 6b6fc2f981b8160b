// Batch normalization in plain loops: put your runtime's calls in their place.
import { defineBackend } from "@batchnorm/spec";

/** The channel of element k. Any x is seen as [outer, channels, inner], whatever its rank and axis are. */
function channelOf(k, { channels, inner }) {
  return Math.floor(k / inner) % channels;
}

/** Whether element k enters the statistics: a mask is [outer, inner], and 0 hides. */
function isVisible(k, mask, { channels, inner }) {
  return mask === null || mask.data[Math.floor(k / (channels * inner)) * inner + (k % inner)] !== 0;
}

/** For each channel the sum over its elements of what `term` gives, in float64. */
function sumOfEachChannel({ x, view }, term) {
  const sums = new Float64Array(view.channels);
  for (let k = 0; k < x.data.length; k++) {
    const c = channelOf(k, view);
    sums[c] += term(k, c);
  }
  return sums;
}

/** A tensor in the shape of x of what `term` gives for each element. */
function tensorOfEachElement({ x, shape, view }, term) {
  const data = new Float32Array(x.data.length);
  for (let k = 0; k < data.length; k++) data[k] = term(k, channelOf(k, view));
  return { data, shape };
}

/** y with the given statistics. What is saved is given to `backward`. */
function normalize(pass, mean, variance) {
  const { x, state, config } = pass;
  const { gamma, beta } = state.parameters; // null where the layer has none
  const r = Float64Array.from(variance, (each) => 1 / Math.sqrt(each + config.epsilon));
  const y = tensorOfEachElement(pass, (k, c) => (gamma?.[c] ?? 1) * (x.data[k] - mean[c]) * r[c] + (beta?.[c] ?? 0));
  return { y, saved: { mean, r } };
}

/** Inference: the moving statistics normalize. */
function infer(pass) {
  const { movingMean, movingVariance } = pass.state.statistics;
  return normalize(pass, movingMean, movingVariance);
}

/** How many elements of each channel the mask leaves. */
function countVisible({ x, mask, view }) {
  let n = 0;
  for (let k = 0; k < x.data.length; k++) if (isVisible(k, mask, view)) n++;
  return n / view.channels;
}

/** A training step: the batch's own statistics normalize, and the moving ones follow. */
function train(pass) {
  const { x, mask, view, config, state } = pass;
  const n = countVisible(pass);
  if (n === 0) return infer(pass); // everything is hidden: nothing is learned from it
  const mean = sumOfEachChannel(pass, (k) => (isVisible(k, mask, view) ? x.data[k] : 0)).map((sum) => sum / n);
  const variance = sumOfEachChannel(pass, (k, c) => (isVisible(k, mask, view) ? (x.data[k] - mean[c]) ** 2 : 0)).map((sum) => sum / n);
  const result = normalize(pass, mean, variance);

  // The moving statistics change last. Keras's momentum is the weight of the old value.
  const { movingMean, movingVariance } = state.statistics;
  const correction = config.varianceEstimator === "sample" ? n / Math.max(n - 1, 1) : 1;
  for (let c = 0; c < view.channels; c++) {
    movingMean[c] = config.momentum * movingMean[c] + (1 - config.momentum) * mean[c];
    movingVariance[c] = config.momentum * movingVariance[c] + (1 - config.momentum) * variance[c] * correction;
  }
  return result;
}

/** The gradients of x, gamma and beta for the gradient dy of the output: of inference, or through the batch's statistics. */
function backward({ dy, pass, saved: { mean, r } }) {
  const { x, mask, view, mode, state } = pass;
  const { gamma, beta } = state.parameters;
  const xHat = (k, c) => (x.data[k] - mean[c]) * r[c];
  const dgamma = sumOfEachChannel(pass, (k, c) => dy.data[k] * xHat(k, c));
  const dbeta = sumOfEachChannel(pass, (k) => dy.data[k]);

  const n = mode.normalizeWith === "batch" ? countVisible(pass) : 0;
  const throughStatistics = (k, c) => (n > 0 && isVisible(k, mask, view) ? (dbeta[c] + xHat(k, c) * dgamma[c]) / n : 0);
  const dx = tensorOfEachElement(pass, (k, c) => (gamma?.[c] ?? 1) * r[c] * (dy.data[k] - throughStatistics(k, c)));

  // A frozen layer learns nothing, and what is not there has no gradient.
  const gradientOf = (parameter, values) =>
    parameter !== null && mode.parameterGradients ? { data: Float32Array.from(values), shape: [view.channels] } : null;
  return { dx, dgamma: gradientOf(gamma, dgamma), dbeta: gradientOf(beta, dbeta) };
}

export default defineBackend({
  name: "my-batchnorm",
  timing: "sync", // leave it out if your runtime answers with promises
  // What you can do. Delete `train` or `backward`, and training or gradients are skipped, visibly.
  supports: { masks: true, varianceEstimators: ["population", "sample"], accumulation: "float64" },
  infer,
  train,
  backward,
});
