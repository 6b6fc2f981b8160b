import { type BatchNormState, defineBackend, type FloatTensor, type MaskTensor, type Pass } from "@batchnorm/spec";

type HostPass = Pass<FloatTensor, BatchNormState, MaskTensor>;
const channelOf = (k: number, { view: { channels, inner } }: HostPass): number => Math.floor(k / inner) % channels;
const isVisible = (k: number, { mask, view: { channels, inner } }: HostPass): boolean =>
  mask === null || mask.data[Math.floor(k / (channels * inner)) * inner + (k % inner)] !== 0;

/** For each channel the sum of a term over its elements. */
function sums(pass: HostPass, term: (k: number, c: number) => number): Float64Array {
  const found = new Float64Array(pass.view.channels);
  for (let k = 0; k < pass.x.data.length; k++) found[channelOf(k, pass)] += term(k, channelOf(k, pass));
  return found;
}

function elements(pass: HostPass, out: FloatTensor | null, term: (k: number, c: number) => number): FloatTensor {
  const to = out ?? { data: new Float32Array(pass.x.data.length), shape: pass.shape };
  for (let k = 0; k < to.data.length; k++) to.data[k] = term(k, channelOf(k, pass));
  return to;
}

/** `n` elements of each channel entered the statistics: none where they are the moving ones. */
function normalize(pass: HostPass, mean: ArrayLike<number>, variance: ArrayLike<number>, n: number) {
  const { gamma, beta } = pass.state.parameters;
  const r = Float64Array.from(variance, (each) => 1 / Math.sqrt(each + pass.config.epsilon));
  const y = elements(pass, pass.out, (k, c) => (gamma?.[c] ?? 1) * (pass.x.data[k] - mean[c]) * r[c] + (beta?.[c] ?? 0));
  return { y, saved: { mean, r, n } };
}

const infer = (pass: HostPass) => normalize(pass, pass.state.statistics.movingMean, pass.state.statistics.movingVariance, 0);

export default defineBackend({
  name: "mine",

  supports: { masks: true, out: true, varianceEstimators: ["population", "sample"], accumulation: "float64" },
  infer: async (pass: HostPass) => {
    await null;
    return infer(pass);
  },
  async train(pass) {
    await null;
    const [n] = sums(pass, (k) => Number(isVisible(k, pass)));
    if (n === 0) return infer(pass);
    const mean = sums(pass, (k) => (isVisible(k, pass) ? pass.x.data[k] : 0)).map((total) => total / n);
    const variance = sums(pass, (k, c) => (isVisible(k, pass) ? (pass.x.data[k] - mean[c]) ** 2 : 0)).map((total) => total / n);
    const result = normalize(pass, mean, variance, n);
    const correction = pass.config.varianceEstimator === "sample" ? n / Math.max(n - 1, 1) : 1;
    const move = (old: number, fresh: number): number => pass.config.momentum * old + (1 - pass.config.momentum) * fresh;
    const { movingMean, movingVariance } = pass.state.statistics;
    movingMean.set(movingMean.map((old, c) => move(old, mean[c])));
    movingVariance.set(movingVariance.map((old, c) => move(old, variance[c] * correction)));
    return result;
  },
  async backward({ dy, out, pass, saved: { mean, r, n } }) {
    const { gamma, beta } = pass.state.parameters;
    const xHat = (k: number, c: number): number => (pass.x.data[k] - mean[c]) * r[c];
    const [dgamma, dbeta] = [sums(pass, (k, c) => dy.data[k] * xHat(k, c)), sums(pass, (k) => dy.data[k])];
    const through = (k: number, c: number): number => (n > 0 && isVisible(k, pass) ? (dbeta[c] + xHat(k, c) * dgamma[c]) / n : 0);
    const dx = elements(pass, out, (k, c) => (gamma?.[c] ?? 1) * r[c] * (dy.data[k] - through(k, c)));
    const learned = (parameter: Float32Array | null, gradient: Float64Array) =>
      parameter && pass.mode.parameterGradients ? { data: Float32Array.from(gradient), shape: [pass.view.channels] } : null;
    return { dx, dgamma: learned(gamma, dgamma), dbeta: learned(beta, dbeta) };
  },
});
