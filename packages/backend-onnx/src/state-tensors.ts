import type { BatchNormState, Statistics } from "@batchnorm/spec";
import type { Tensor } from "onnxruntime-common";
import type { OrtRuntime } from "./runtime.ts";
import { hostTensor } from "./tensors.ts";

/**
 * The state of a layer as its graphs take it: gamma and beta in one tensor of `[2, channels]`, mean and variance in another. A
 * parameter that is off is there as ones or zeros. The statistics lie where the last training step left them.
 */
export class StateTensors {
  readonly #ort: OrtRuntime;
  readonly #channels: number;
  readonly #has: { readonly gamma: boolean; readonly beta: boolean };
  #parameters: Tensor;
  #statistics: Tensor;

  constructor(ort: OrtRuntime, { parameters: { gamma, beta }, statistics: { movingMean, movingVariance } }: BatchNormState) {
    this.#ort = ort;
    this.#channels = movingMean.length;
    this.#has = { gamma: gamma !== null, beta: beta !== null };
    this.#parameters = this.#pack(gamma ?? new Float32Array(this.#channels).fill(1), beta ?? new Float32Array(this.#channels));
    this.#statistics = this.#pack(movingMean, movingVariance);
  }

  get parameters(): Tensor {
    return this.#parameters;
  }

  get statistics(): Tensor {
    return this.#statistics;
  }

  /** Takes what a training step left, and frees what was there. */
  replaceStatistics(statistics: Tensor): void {
    this.#statistics.dispose();
    this.#statistics = statistics;
  }

  async read(): Promise<BatchNormState> {
    const [gamma, beta] = await this.#unpack(this.#parameters);
    const [movingMean, movingVariance] = await this.#unpack(this.#statistics);
    return {
      parameters: { gamma: this.#has.gamma ? gamma : null, beta: this.#has.beta ? beta : null },
      statistics: { movingMean, movingVariance },
    };
  }

  async write(parameters: { gamma?: Float32Array; beta?: Float32Array }, statistics: Partial<Statistics>): Promise<void> {
    const [gamma, beta] = await this.#unpack(this.#parameters);
    const [movingMean, movingVariance] = await this.#unpack(this.#statistics);
    const newParameters = this.#pack(parameters.gamma ?? gamma, parameters.beta ?? beta);
    this.replaceStatistics(this.#pack(statistics.movingMean ?? movingMean, statistics.movingVariance ?? movingVariance));
    this.#parameters = newParameters;
  }

  dispose(): void {
    this.#parameters.dispose();
    this.#statistics.dispose();
  }

  #pack(first: Float32Array, second: Float32Array): Tensor {
    const packed = new Float32Array(2 * this.#channels);
    packed.set(first);
    packed.set(second, this.#channels);
    return hostTensor(this.#ort, packed, [2, this.#channels]);
  }

  async #unpack(tensor: Tensor): Promise<[Float32Array, Float32Array]> {
    // Downloaded from a GPU, the tensor lies in the host's memory from here on: `true` frees its buffer there.
    const packed = (await tensor.getData(true)) as Float32Array;
    return [packed.slice(0, this.#channels), packed.slice(this.#channels)];
  }
}
