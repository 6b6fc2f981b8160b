import {
  type Backend,
  type BatchNormConfig,
  BatchNormError,
  type BatchNormState,
  type CallOptions,
  copyState,
  type FloatTensor,
  type HostTensor,
  hostTensors,
  initialState,
  type Layer,
  type MaskTensor,
  resolveConfig,
  resolveState,
  SPEC_VERSION,
  type StateUpdate,
  type Supports,
} from "@batchnorm/spec";

type Awaitable<Value> = Value | Promise<Value>;

/** What is replaced of a state: the arrays that are there. */
export interface StateChange {
  readonly parameters: { readonly gamma?: Float32Array; readonly beta?: Float32Array };
  readonly statistics: { readonly movingMean?: Float32Array; readonly movingVariance?: Float32Array };
}

/** The gradients of one call, in the host's memory; null where the peer has nothing to learn. */
export interface HostGradients {
  readonly dx: Float32Array;
  readonly dgamma: Float32Array | null;
  readonly dbeta: Float32Array | null;
}

/**
 * A layer of a peer that has one of its own, with its own state and its own freezing: what it does is judged as it is. Tensors
 * come and go in the host's memory.
 */
export interface PeerLayer {
  /** The output of the peer's layer. `gradient` says that `backward` will follow. */
  call(
    x: FloatTensor,
    options: { readonly training: boolean; readonly gradient: boolean; readonly mask: MaskTensor | null },
  ): Awaitable<Float32Array>;
  /** The gradients of the last call, for the gradient of its output. */
  backward(dy: Float32Array): Awaitable<HostGradients>;
  setTrainable(trainable: boolean): void;
  read(): Awaitable<BatchNormState>;
  write(update: StateChange): Awaitable<void>;
  dispose?(): void;
}

export interface PeerDefinition {
  readonly name: string;
  readonly supports: Partial<Supports>;
  create(config: BatchNormConfig, state: BatchNormState): PeerLayer;
}

const SUPPORTS: Supports = {
  maxRank: null,
  axes: "any",
  dtypes: ["float32"],
  training: true,
  minElements: 1,
  gradients: true,
  masks: false,
  out: false,
  varianceEstimators: ["population"],
  nonFinite: ["propagate"],
  accumulation: "float32",
  subnormals: "preserved",
};

/**
 * A backend over a peer's own layer. Unlike `defineBackend` it decides nothing: no mode, no freezing, no check of an argument. So
 * what the suite finds is what the peer does.
 */
export function backendOfLayers({ name, supports, create }: PeerDefinition): Backend<FloatTensor, "async", MaskTensor> {
  return {
    specVersion: SPEC_VERSION,
    name,
    supports: { ...SUPPORTS, ...supports },
    create(options, state) {
      const config = resolveConfig(options);
      if (state === undefined)
        throw new BatchNormError("unsupported", `${name} is judged with a state`, state, "a state or a number of channels");
      const resolved = typeof state === "number" ? initialState(config, state) : resolveState(config, state);
      return new HostLayer(config, resolved.statistics.movingMean.length, create(config, copyState(resolved)));
    },
    upload: ((tensor: FloatTensor) => {
      const { dtype } = hostTensors.describe(tensor);
      if (dtype === "float16" || dtype === "bfloat16") {
        throw new BatchNormError("unknown-dtype", `${name} is judged without ${dtype}`, dtype, "float32");
      }
      return hostTensors.upload(tensor);
    }) as Backend<FloatTensor, "async", MaskTensor>["upload"],
    download: async (tensor) => hostTensors.download(tensor) as HostTensor,
    release: () => {},
  };
}

/** Hands every call to the peer's layer. */
class HostLayer implements Layer<FloatTensor, "async", MaskTensor> {
  readonly channels: number;
  readonly #layer: PeerLayer;
  #config: BatchNormConfig;
  #shape: readonly number[] = [];

  constructor(config: BatchNormConfig, channels: number, layer: PeerLayer) {
    this.channels = channels;
    this.#config = config;
    this.#layer = layer;
  }

  get config(): BatchNormConfig {
    return this.#config;
  }

  get trainable(): boolean {
    return this.#config.trainable;
  }

  set trainable(trainable: boolean) {
    this.#config = { ...this.#config, trainable };
    this.#layer.setTrainable(trainable);
  }

  freeze(): void {
    this.trainable = false;
  }

  unfreeze(): void {
    this.trainable = true;
  }

  async call(
    x: FloatTensor,
    { training = false, gradient = training, mask = null }: CallOptions<FloatTensor, MaskTensor> = {},
  ): Promise<FloatTensor> {
    this.#shape = [...x.shape];
    return { data: await this.#layer.call(x, { training, gradient, mask }), shape: [...x.shape] };
  }

  async backward({ data }: FloatTensor): Promise<{ dx: FloatTensor; dgamma: FloatTensor | null; dbeta: FloatTensor | null }> {
    const { dx, dgamma, dbeta } = await this.#layer.backward(data);
    const ofParameter = (values: Float32Array | null): FloatTensor | null => values && { data: values, shape: [this.channels] };
    return { dx: { data: dx, shape: [...this.#shape] }, dgamma: ofParameter(dgamma), dbeta: ofParameter(dbeta) };
  }

  async state(): Promise<BatchNormState> {
    return this.#layer.read();
  }

  async setState({ parameters = {}, statistics = {} }: StateUpdate): Promise<void> {
    const float32 = (part: object): Record<string, Float32Array> =>
      Object.fromEntries(Object.entries(part).flatMap(([name, values]) => (values ? [[name, Float32Array.from(values)]] : [])));
    await this.#layer.write({ parameters: float32(parameters), statistics: float32(statistics) });
  }

  async dispose(): Promise<void> {
    this.#layer.dispose?.();
  }
}
