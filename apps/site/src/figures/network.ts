import { type CpuLayer, createBackend } from "@batchnorm/backend-cpu";
import type { BatchNormConfig, BatchNormState } from "@batchnorm/spec";

/** Points in the plane and their classes. */
export interface Samples {
  /** `[count, 2]` */
  readonly points: Float32Array;
  readonly classes: Uint8Array;
}

export const HIDDEN = 16;
export const CLASSES = 3;

/** What a network has learned, and what its layer has estimated. */
export interface Weights {
  /** `[2, HIDDEN]`: the first linear map; beta is its bias. */
  readonly first: Float32Array;
  /** `[HIDDEN, CLASSES]` and `[CLASSES]` */
  readonly second: Float32Array;
  readonly bias: Float32Array;
  readonly state: BatchNormState;
}

/**
 * A small classifier: linear, batch normalization, ReLU, linear, softmax. The normalization is a layer of backend-cpu; the rest is
 * written out, so that the page needs no framework.
 */
export class Network {
  readonly #layer: CpuLayer;
  readonly #first: Float32Array;
  readonly #second: Float32Array;
  readonly #bias: Float32Array;

  constructor(config: Partial<BatchNormConfig>, { first, second, bias, state }: Weights) {
    this.#layer = createBackend().create(config, state);
    this.#first = first.slice();
    this.#second = second.slice();
    this.#bias = bias.slice();
  }

  /** Untrained weights. */
  static initial(normal: () => number): Weights {
    const fill = (length: number, fanIn: number): Float32Array => Float32Array.from({ length }, () => normal() / Math.sqrt(fanIn));
    const ones = new Float32Array(HIDDEN).fill(1);
    const zeros = new Float32Array(HIDDEN);
    return {
      first: fill(2 * HIDDEN, 2),
      second: fill(HIDDEN * CLASSES, HIDDEN),
      bias: new Float32Array(CLASSES),
      state: { parameters: { gamma: ones, beta: zeros }, statistics: { movingMean: zeros.slice(), movingVariance: ones.slice() } },
    };
  }

  weights(): Weights {
    return { first: this.#first.slice(), second: this.#second.slice(), bias: this.#bias.slice(), state: this.#layer.state() };
  }

  /** The mean cross entropy and the share of right answers, in inference. */
  test(samples: Samples): { readonly loss: number; readonly accuracy: number } {
    const count = samples.classes.length;
    const { probabilities } = this.#forward(samples, false);
    let loss = 0;
    let right = 0;
    for (let n = 0; n < count; n++) {
      const row = probabilities.subarray(n * CLASSES, (n + 1) * CLASSES);
      const wanted = row[samples.classes[n]];
      loss -= Math.log(Math.max(wanted, 1e-30)) / count;
      if (row.every((other) => other <= wanted)) right += 1;
    }
    return { loss, accuracy: right / count };
  }

  /** One step of gradient descent on a batch, in training. */
  train(batch: Samples, rate: number): void {
    const { points, classes } = batch;
    const count = classes.length;
    const { normalized, active, probabilities: dScores } = this.#forward(batch, true);
    for (let n = 0; n < count; n++) dScores[n * CLASSES + classes[n]] -= 1;
    for (let k = 0; k < dScores.length; k++) dScores[k] /= count;

    const dNormalized = new Float32Array(count * HIDDEN);
    const dSecond = new Float32Array(this.#second.length);
    for (let n = 0; n < count; n++) {
      for (let h = 0; h < HIDDEN; h++) {
        let sum = 0;
        for (let c = 0; c < CLASSES; c++) {
          sum += dScores[n * CLASSES + c] * this.#second[h * CLASSES + c];
          dSecond[h * CLASSES + c] += active[n * HIDDEN + h] * dScores[n * CLASSES + c];
        }
        dNormalized[n * HIDDEN + h] = normalized[n * HIDDEN + h] > 0 ? sum : 0;
      }
    }
    const { dx, dgamma, dbeta } = this.#layer.backward({ data: dNormalized, shape: [count, HIDDEN] });
    const dFirst = new Float32Array(this.#first.length);
    for (let n = 0; n < count; n++) {
      for (let i = 0; i < 2; i++) {
        for (let h = 0; h < HIDDEN; h++) dFirst[i * HIDDEN + h] += points[2 * n + i] * dx.data[n * HIDDEN + h];
      }
    }
    descend(this.#first, dFirst, rate);
    descend(this.#second, dSecond, rate);
    for (let k = 0; k < dScores.length; k++) this.#bias[k % CLASSES] -= rate * dScores[k];
    // A frozen layer gives no gradients for gamma and beta: they stay.
    if (dgamma === null || dbeta === null) return;
    const { gamma, beta } = this.#layer.state().parameters;
    descend(gamma!, dgamma.data, rate);
    descend(beta!, dbeta.data, rate);
    this.#layer.setState({ parameters: { gamma, beta } });
  }

  #forward({ points, classes }: Samples, training: boolean): Record<"normalized" | "active" | "probabilities", Float32Array> {
    const count = classes.length;
    const x = new Float32Array(count * HIDDEN);
    for (let n = 0; n < count; n++) {
      for (let h = 0; h < HIDDEN; h++) x[n * HIDDEN + h] = points[2 * n] * this.#first[h] + points[2 * n + 1] * this.#first[HIDDEN + h];
    }
    const normalized = this.#layer.call({ data: x, shape: [count, HIDDEN] }, { training }).data as Float32Array;
    const active = normalized.map((value) => Math.max(value, 0));
    const probabilities = new Float32Array(count * CLASSES);
    for (let n = 0; n < count; n++) {
      const scores = Array.from(this.#bias, (bias, c) => {
        let sum = bias;
        for (let h = 0; h < HIDDEN; h++) sum += active[n * HIDDEN + h] * this.#second[h * CLASSES + c];
        return sum;
      });
      const largest = Math.max(...scores);
      const exponentials = scores.map((score) => Math.exp(score - largest));
      const total = exponentials.reduce((sum, value) => sum + value, 0);
      for (let c = 0; c < CLASSES; c++) probabilities[n * CLASSES + c] = exponentials[c] / total;
    }
    return { normalized, active, probabilities };
  }
}

function descend(weights: Float32Array, gradient: ArrayLike<number>, rate: number): void {
  for (let k = 0; k < weights.length; k++) weights[k] -= rate * gradient[k];
}
