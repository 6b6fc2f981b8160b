import type { BatchNormConfig, BatchNormState, FloatTensor } from "@batchnorm/spec";
import * as tf from "@tensorflow/tfjs";
import { backendOfLayers, type HostGradients, type PeerLayer, type StateChange } from "../layer.ts";
import type { Peer } from "../peer.ts";
import { type TfjsDevice, takeData, useDevice } from "./tfjs.ts";

/** `tf.layers.batchNormalization` of tfjs-layers, applied by itself. */
export function tfjsLayers(device: TfjsDevice): Peer {
  const name = `tfjs-layers/${device}`;
  return {
    name,
    title: "`tf.layers.batchNormalization` of TensorFlow.js",
    packages: ["@tensorflow/tfjs"],
    runtime: "Node",
    claims: [
      "The layer is applied by itself, with `layer.apply(x, { training })`, and frozen with `layer.trainable = false`.",
      "Gradients are those of `tf.variableGrads` with respect to x and to `layer.trainableWeights`.",
      "It says itself that it does not take more than rank 4. Masks are not claimed: it passes them on and does not use them.",
    ],
    open: async () => {
      await useDevice(device);
      return backendOfLayers({ name, supports: { maxRank: 4 }, create: (config, state) => new TfjsLayer(config, state) });
    },
  };
}

type Layer = ReturnType<typeof tf.layers.batchNormalization>;
type Variable = NonNullable<Layer["weights"][number]>;

class TfjsLayer implements PeerLayer {
  readonly #layer: Layer;
  readonly #channels: number;
  readonly #axis: number;
  /** What the layer starts from: it can be given its weights only when it knows the rank of x. */
  #start: BatchNormState | null;
  #last: { readonly x: FloatTensor; readonly training: boolean } | null = null;

  constructor({ axis, momentum, epsilon, center, scale, trainable }: BatchNormConfig, state: BatchNormState) {
    this.#layer = tf.layers.batchNormalization({ axis, momentum, epsilon, center, scale, trainable });
    this.#channels = state.statistics.movingMean.length;
    this.#axis = axis;
    this.#start = state;
  }

  call(x: FloatTensor, { training }: { readonly training: boolean }): Promise<Float32Array> {
    this.#build(x.shape.length);
    this.#last = { x, training };
    return takeData(tf.tidy(() => this.#apply(tf.tensor(x.data, [...x.shape]), training)));
  }

  async backward(dy: Float32Array): Promise<HostGradients> {
    const { x, training } = this.#last!;
    // tfjs differentiates a function while it runs it, so the layer runs once more; its statistics are put back.
    const after = await this.#readStatistics();
    const input = tf.variable(tf.tensor(x.data, [...x.shape]));
    const upstream = tf.tensor(dy, [...x.shape]);
    const trainable = this.#layer.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const loss = (): tf.Scalar => tf.sum(tf.mul(this.#apply(input, training), upstream));
    try {
      const { value, grads } = tf.variableGrads(loss, [input, ...trainable]);
      const gradientOf = async (name: string): Promise<Float32Array | null> => {
        const variable = this.#weight(name)?.read() as tf.Variable | undefined;
        return variable !== undefined && trainable.includes(variable) ? ((await grads[variable.name].data()) as Float32Array) : null;
      };
      const gradients = {
        dx: (await grads[input.name].data()) as Float32Array,
        dgamma: await gradientOf("gamma"),
        dbeta: await gradientOf("beta"),
      };
      tf.dispose([value, grads]);
      return gradients;
    } finally {
      this.#writeStatistics(after);
      tf.dispose([input, upstream]);
    }
  }

  setTrainable(trainable: boolean): void {
    this.#layer.trainable = trainable;
  }

  async read(): Promise<BatchNormState> {
    if (this.#start !== null) return this.#start;
    const read = async (name: string): Promise<Float32Array | null> => {
      const weight = this.#weight(name);
      return weight === null ? null : ((await weight.read().data()) as Float32Array).slice();
    };
    return { parameters: { gamma: await read("gamma"), beta: await read("beta") }, statistics: await this.#readStatistics() };
  }

  write({ parameters, statistics }: StateChange): void {
    if (this.#start !== null) {
      this.#start = { parameters: { ...this.#start.parameters, ...parameters }, statistics: { ...this.#start.statistics, ...statistics } };
      return;
    }
    for (const [name, values] of Object.entries({ ...parameters, ...statistics })) {
      const tensor = tf.tensor1d(values);
      this.#weight(name)?.write(tensor);
      tensor.dispose();
    }
  }

  dispose(): void {
    // `layer.dispose` is for layers of a model: it throws where a layer was only applied to tensors.
    if (this.#start === null) for (const weight of this.#layer.weights) weight.dispose();
  }

  #apply(x: tf.Tensor, training: boolean): tf.Tensor {
    return this.#layer.apply(x, training ? { training } : {}) as tf.Tensor;
  }

  #build(rank: number): void {
    if (this.#start === null) return;
    const shape: (number | null)[] = new Array(rank).fill(null);
    shape.splice(this.#axis < 0 ? this.#axis + rank : this.#axis, 1, this.#channels);
    this.#layer.build(shape as tf.Shape);
    // As `layer.apply` does on its first call.
    this.#layer.built = true;
    const { parameters, statistics } = this.#start;
    this.#start = null;
    this.write({
      parameters: { ...(parameters.gamma && { gamma: parameters.gamma }), ...(parameters.beta && { beta: parameters.beta }) },
      statistics,
    });
  }

  #weight(name: string): Variable | null {
    return (this.#layer as unknown as Record<string, Variable | undefined>)[name] ?? null;
  }

  async #readStatistics(): Promise<BatchNormState["statistics"]> {
    const read = async (name: string): Promise<Float32Array> => ((await this.#weight(name)!.read().data()) as Float32Array).slice();
    return { movingMean: await read("movingMean"), movingVariance: await read("movingVariance") };
  }

  #writeStatistics(statistics: BatchNormState["statistics"]): void {
    this.write({ parameters: {}, statistics });
  }
}
