import { createBackend } from "@batchnorm/backend-cpu";

const backend = createBackend();

/** A layer of one channel. */
export interface OneChannel {
  readonly gamma: number;
  readonly beta: number;
  readonly movingMean: number;
  readonly movingVariance: number;
  readonly epsilon?: number;
}

/** x in inference. */
export function infer(x: Float32Array, { gamma, beta, movingMean, movingVariance, epsilon = 1e-3 }: OneChannel): Float32Array {
  const layer = backend.create(
    { epsilon },
    { parameters: { gamma: [gamma], beta: [beta] }, statistics: { movingMean: [movingMean], movingVariance: [movingVariance] } },
  );
  return layer.call({ data: x, shape: [x.length, 1] }).data as Float32Array;
}

/** What a training call on x gives, and the moving statistics after it. */
export interface TrainingStep {
  readonly y: Float32Array;
  readonly movingMean: number;
  readonly movingVariance: number;
}

/** x in training, from moving mean 0 and moving variance 1 unless told otherwise. */
export function train(
  x: Float32Array,
  momentum: number,
  { movingMean = 0, movingVariance = 1, sample = false }: { movingMean?: number; movingVariance?: number; sample?: boolean } = {},
): TrainingStep {
  const layer = backend.create(
    { momentum, varianceEstimator: sample ? "sample" : "population" },
    { parameters: { gamma: [1], beta: [0] }, statistics: { movingMean: [movingMean], movingVariance: [movingVariance] } },
  );
  const y = layer.call({ data: x, shape: [x.length, 1] }, { training: true }).data as Float32Array;
  const { statistics } = layer.state();
  return { y, movingMean: statistics.movingMean[0], movingVariance: statistics.movingVariance[0] };
}

/** The moving mean and variance after each of some steps on the same batch, the start included. */
export function follow(x: Float32Array, momentum: number, steps: number): { readonly mean: number[]; readonly variance: number[] } {
  const layer = backend.create({ momentum }, 1);
  const [mean, variance] = [[0], [1]];
  for (let step = 0; step < steps; step++) {
    layer.call({ data: x, shape: [x.length, 1] }, { training: true, gradient: false });
    const { statistics } = layer.state();
    mean.push(statistics.movingMean[0]);
    variance.push(statistics.movingVariance[0]);
  }
  return { mean, variance };
}

/** Mean and deviation, for the captions: what the layer's own batch statistics say. */
export function momentsOf(x: Float32Array): { readonly mean: number; readonly deviation: number } {
  const { movingMean, movingVariance } = train(x, 0);
  return { mean: movingMean, deviation: Math.sqrt(movingVariance) };
}
