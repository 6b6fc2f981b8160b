import { type BatchNormConfig, type BatchNormState, type ChannelView, channelView, type FloatTensor } from "@batchnorm/spec";
import { GradTensor, Tensor } from "deepbox/ndarray";
import { BatchNorm1d } from "deepbox/nn";
import { backendOfLayers, type HostGradients, type PeerLayer, type StateChange } from "../layer.ts";
import type { Peer } from "../peer.ts";

/** BatchNorm1d of deepbox. Its BatchNorm2d and BatchNorm3d share its code. */
export const deepbox: Peer = {
  name: "deepbox",
  title: "`BatchNorm1d` of deepbox",
  packages: ["deepbox"],
  runtime: "Node",
  claims: [
    "PyTorch's conventions: its momentum is the weight of the new value, its running variance that of the sample, its channel axis 1: x goes in as `[outer, channels, inner]`, which is a reshape.",
    "State goes in with `loadStateDict` and comes out of `stateDict()`. A frozen layer is one with `freezeParameters()` and `eval()`.",
    "`affine` is gamma and beta together: where one is off it is 1 or 0, and its gradient is not looked at. It has no masks.",
  ],
  open: async () =>
    backendOfLayers({
      name: "deepbox",
      supports: { varianceEstimators: ["sample"] },
      create: (config, state) => new DeepboxLayer(config, state),
    }),
};

class DeepboxLayer implements PeerLayer {
  readonly #layer: BatchNorm1d;
  readonly #config: BatchNormConfig;
  #trainable = true;
  #last: { readonly input: GradTensor; readonly output: GradTensor } | null = null;

  constructor(config: BatchNormConfig, state: BatchNormState) {
    const { momentum, epsilon, center, scale, trainable } = config;
    this.#config = config;
    const channels = state.statistics.movingMean.length;
    this.#layer = new BatchNorm1d(channels, { eps: epsilon, momentum: 1 - momentum, affine: center || scale });
    const { gamma, beta } = state.parameters;
    this.write({ parameters: { ...(gamma && { gamma }), ...(beta && { beta }) }, statistics: state.statistics });
    if (!trainable) this.setTrainable(false);
  }

  call({ data, shape }: FloatTensor, { training }: { readonly training: boolean }): Float32Array {
    const view = channelView(shape, this.#config.axis);
    this.#layer.train(training && this.#trainable);
    this.#layer.zeroGrad();
    const tensor = Tensor.fromTypedArray({ data: data.slice(), shape: shapeOf(view), dtype: "float32", device: "cpu" });
    const input = GradTensor.fromTensor(tensor, { requiresGrad: true });
    const output = this.#layer.forward(input);
    this.#last = { input, output };
    return numbersOf(output.tensor);
  }

  backward(dy: Float32Array): HostGradients {
    const { input, output } = this.#last!;
    input.zeroGrad();
    this.#layer.zeroGrad();
    output.backward(Tensor.fromTypedArray({ data: dy.slice(), shape: [...output.shape], dtype: "float32", device: "cpu" }));
    const { center, scale } = this.#config;
    const parameters = new Map<string, GradTensor>(this.#layer.namedParameters());
    const gradientOf = (name: string, on: boolean): Float32Array | null => {
      const gradient = parameters.get(name)?.grad ?? null;
      return on && gradient !== null ? numbersOf(gradient) : null;
    };
    return { dx: numbersOf(input.grad!), dgamma: gradientOf("weight", scale), dbeta: gradientOf("bias", center) };
  }

  setTrainable(trainable: boolean): void {
    this.#trainable = trainable;
    if (trainable) this.#layer.unfreezeParameters();
    else this.#layer.freezeParameters();
  }

  read(): BatchNormState {
    const { parameters, buffers } = this.#layer.stateDict();
    const numbers = ({ data }: { readonly data: readonly unknown[] }): Float32Array => Float32Array.from(data as number[]);
    const { center, scale } = this.#config;
    return {
      parameters: { gamma: scale ? numbers(parameters.weight) : null, beta: center ? numbers(parameters.bias) : null },
      statistics: { movingMean: numbers(buffers.running_mean), movingVariance: numbers(buffers.running_var) },
    };
  }

  write({ parameters, statistics }: StateChange): void {
    const state = this.#layer.stateDict();
    const entry = (part: Record<string, { data: unknown[] }>, name: string, values: Float32Array | undefined) =>
      values && name in part ? { [name]: { ...part[name], data: Array.from(values) } } : {};
    this.#layer.loadStateDict({
      parameters: {
        ...state.parameters,
        ...entry(state.parameters, "weight", parameters.gamma),
        ...entry(state.parameters, "bias", parameters.beta),
      },
      buffers: {
        ...state.buffers,
        ...entry(state.buffers, "running_mean", statistics.movingMean),
        ...entry(state.buffers, "running_var", statistics.movingVariance),
      },
    } as Parameters<BatchNorm1d["loadStateDict"]>[0]);
  }
}

/** Rank 2 where that says it all. */
function shapeOf({ outer, channels, inner }: ChannelView): number[] {
  return inner === 1 ? [outer, channels] : [outer, channels, inner];
}

/** In the order of rows, whatever the tensor's strides are. */
function numbersOf(tensor: Tensor): Float32Array {
  return Float32Array.from(tensor.toArray().flat(Number.POSITIVE_INFINITY) as number[]);
}
