import { type HostLayer, override, referenceArithmetic, SUPPORTS, writeState } from "@batchnorm/reference";
import { BatchNormError, copyState, defineBackend, type FloatTensor, type HostTensor, hostTensors, type StateInput } from "@batchnorm/spec";
import type { Mutant } from "./mutant.ts";
import { computing, configuring, creating, declaring, handling, reordering, stating, wrapping } from "./wrap.ts";

/** Faults of a layer that is used in another way than the examples use it. */
export const USE_MUTANTS: readonly Mutant[] = [
  wrapping("training-unless-false", "trains where training is undefined", ["2.5"], (layer) =>
    override(layer, {
      call: (x, options) =>
        layer.call(x, options && "training" in options && options.training === undefined ? { ...options, training: true } : options),
    }),
  ),
  configuring("undefined-is-a-value", "lets an undefined option replace its default", ["2.5"], (config) =>
    Object.fromEntries(Object.entries(config).map(([name, value]) => [name, value === undefined && name === "epsilon" ? 1e-5 : value])),
  ),
  reordering("options-read-late", "reads the options when a call runs", ["17.1"], (layer) =>
    override(layer, {
      async call(x, options) {
        const training = options?.training;
        const y = await layer.call(x, options);
        if (options?.training !== training) throw new Error("It was not told whether to train.");
        return y;
      },
    }),
  ),
  reordering("state-read-late", "copies the arrays of setState when it runs", ["1.4"], (layer) =>
    override(layer, {
      async setState(update) {
        const gamma = update?.parameters?.gamma?.[0];
        await layer.setState(update);
        if (update?.parameters?.gamma?.[0] !== gamma) throw new Error("The state is not the one that was checked.");
      },
    }),
  ),
  stating("state-of-the-buffer", "takes the buffer of an array, not the view of it", ["1.4"], ({ parameters, statistics }) => {
    const whole = <Values>(values: Values): Values =>
      values instanceof Float32Array && values.byteOffset > 0 ? (new Float32Array(values.buffer, 0, values.length) as Values) : values;
    return {
      parameters: { gamma: whole(parameters.gamma ?? null), beta: whole(parameters.beta ?? null) },
      statistics: { movingMean: whole(statistics.movingMean), movingVariance: whole(statistics.movingVariance) },
    };
  }),
  declaring("upload-of-the-buffer", "uploads the buffer of an array from its beginning", ["1.4"], (backend) => ({
    ...backend,
    upload: (tensor: HostTensor) =>
      backend.upload(
        tensor.data instanceof Float32Array && tensor.data.byteOffset > 0
          ? { data: new Float32Array(tensor.data.buffer, 0, tensor.data.length), shape: tensor.shape }
          : tensor,
      ),
  })),
  handling("shape-not-copied", "takes the caller's shape array for its own", ["17.3"], {
    upload: (tensor) => ({ ...hostTensors.upload(tensor), shape: tensor.shape }) as FloatTensor,
  }),
  wrapping("result-has-the-shape-of-x", "gives y the shape array of x, and not a copy", ["17.3"], (layer) =>
    override(layer, {
      call(x, options) {
        const y = layer.call(x, options);
        return options?.out ? y : { data: y.data, shape: x.shape };
      },
    }),
  ),
  wrapping("offset-ignored", "reads the buffer behind x from its beginning", ["17.3"], (layer) =>
    override(layer, {
      call: (x, options) =>
        layer.call(x?.data?.byteOffset > 0 ? { data: new Float32Array(x.data.buffer, 0, x.data.length), shape: x.shape } : x, options),
    }),
  ),
  wrapping("shared-memory-refused", "does not take arrays of shared memory", ["17.3"], (layer) =>
    override(layer, {
      call(x, options) {
        if (x?.data?.buffer instanceof SharedArrayBuffer) throw new TypeError("The provided ArrayBufferView value must not be shared.");
        return layer.call(x, options);
      },
    }),
  ),
  handling("partial-overlap-allowed", "compares the beginnings of two arrays to see whether they overlap", ["17.4"], {
    overlap: (a, b) => (a.data.buffer === b.data.buffer && a.data.byteOffset === b.data.byteOffset ? "same" : "none"),
  }),
  wrapping("config-can-be-written", "gives out its configuration itself", ["1.4"], (layer) => {
    const config = { ...layer.config };
    return override(layer, {
      get config() {
        return config;
      },
      freeze() {
        layer.freeze();
        config.trainable = false;
      },
      unfreeze() {
        layer.unfreeze();
        config.trainable = true;
      },
    });
  }),
  creating("negative-zero-refused", "takes -0 for a negative variance", ["1.2"], (create) => (config, state) => {
    const refuse = ({ statistics }: Partial<StateInput>): void => {
      const at = Array.from(statistics?.movingVariance ?? []).findIndex((value) => Object.is(value, -0));
      if (at >= 0) throw new BatchNormError("negative-variance", "movingVariance is negative", -0, "a variance");
    };
    if (typeof state === "object" && state?.statistics) refuse(state);
    return create(config, state);
  }),
  wrapping("trainable-is-a-field", "keeps trainable in a field that nobody reads", ["4.3"], (layer) => {
    let trainable = layer.config.trainable;
    return override(layer, {
      get trainable() {
        return trainable;
      },
      set trainable(value) {
        trainable = value;
      },
      freeze() {
        layer.freeze();
        trainable = false;
      },
      unfreeze() {
        layer.unfreeze();
        trainable = true;
      },
    });
  }),
  creating("built-by-a-refusal", "counts channels before it looks at the call", ["1.3"], (create) => (config, state) => {
    const layer = create(config, state);
    let seen = layer.channels;
    return override(layer, {
      get channels() {
        return layer.channels || seen;
      },
      call(x, options) {
        seen ||= x?.shape?.at(-1) ?? 0;
        return layer.call(x, options);
      },
    });
  }),
  creating(
    "unbuilt-has-one-channel",
    "makes a layer without a state with one channel",
    ["1.3"],
    (create) => (config, state) => create(config, state === undefined ? 1 : state),
  ),
  creating("channels-begin-at-zero", "makes gamma 0 for a layer of so many channels", ["1.3"], (create) => (config, state) => {
    const layer = create(config, state);
    if (typeof state === "number" && layer.config.scale) layer.setState({ parameters: { gamma: new Array<number>(state).fill(0) } });
    return layer;
  }),
  declaring("float64-declared", "declares float64 and gives float32", ["13.2"], (backend) => ({
    ...backend,
    supports: { ...backend.supports, dtypes: ["float32", "float64"] },
  })),
  handling("rejects-early-elements", "looks for NaN in the first 4,096 elements", ["11.2"], {
    findNonFinite: (x, view) => hostTensors.findNonFinite({ data: x.data.subarray(0, 4096), shape: x.shape }, view),
  }),
  handling("rejects-by-the-sum", "takes data whose sum is not finite for not finite", ["11.2"], {
    findNonFinite: ({ data }, view) => {
      const sum = data.reduce((total, value) => Math.fround(total + Math.abs(value)), 0);
      if (Number.isFinite(sum)) return null;
      return hostTensors.findNonFinite({ data, shape: [] }, view) ?? { channel: 0, value: sum };
    },
  }),
  wrapping("rejection-drops-the-pass", "forgets the last pass when data is refused", ["14.1"], (layer) =>
    override(layer, {
      call(x, options) {
        try {
          return layer.call(x, options);
        } catch (error) {
          if (error instanceof BatchNormError && error.code === "non-finite") layer.setState({});
          throw error;
        }
      },
    }),
  ),
  wrapping("refusal-clears-out", "clears out before it looks at the call", ["14.1"], (layer) =>
    override(layer, {
      call(x, options) {
        if (options?.out && options.out !== x && !options.mask) options.out.data.fill(0);
        return layer.call(x, options);
      },
    }),
  ),
  wrapping("out-is-not-given-back", "writes to out and gives a copy of it", ["17.4"], (layer) =>
    override(layer, {
      call(x, options) {
        const { data, shape } = layer.call(x, options);
        return { data: data.slice(), shape };
      },
    }),
  ),
  wrapping("out-ignored-when-frozen", "ignores out where the layer is frozen", ["17.4"], (layer) =>
    override(layer, { call: (x, options) => layer.call(x, layer.trainable ? options : { ...options, out: null }) }),
  ),
  wrapping("output-read-in-backward", "finds the normalized x in the output, also where out was written over since", ["17.4"], (layer) => {
    let last: { out: FloatTensor; was: Float32Array } | null = null;
    return override(layer, {
      call(x, options) {
        const y = layer.call(x, options);
        last = options?.out ? { out: y, was: y.data.slice() } : null;
        return y;
      },
      backward(dy, options) {
        const gradients = layer.backward(dy, options);
        if (last?.out.data.some((value, k) => value !== last?.was[k])) gradients.dx.data[0] += 1;
        return gradients;
      },
    });
  }),
  wrapping("empty-batch-of-a-frozen-layer", "refuses an empty batch by the argument training alone", ["5.5"], (layer) =>
    override(layer, {
      call(x, options) {
        if (options?.training && x?.data?.length === 0)
          throw new BatchNormError("empty-batch", "There is nothing to train on", x.shape, "a batch");
        return layer.call(x, options);
      },
    }),
  ),
  wrapping("empty-columns", "cannot normalize rows of no columns", ["5.5"], (layer) =>
    override(layer, {
      call(x, options) {
        if (x?.shape?.at(-1) === 0 && !options?.training) throw new RangeError("Invalid count value: Infinity");
        return layer.call(x, options);
      },
    }),
  ),
  reordering("backward-throws-from-async", "throws in backward where it should reject", ["14.1"], (layer) =>
    override(layer, {
      backward(dy, options) {
        if (!dy) throw new BatchNormError("invalid-argument", "dy is not a tensor", dy, "a tensor");
        return layer.backward(dy, options);
      },
    }),
  ),
  reordering("state-throws-from-async", "throws in state where it should reject", ["14.1"], (layer) => {
    let disposed = false;
    return override(layer, {
      state() {
        if (disposed) throw new BatchNormError("disposed", "state was called on a disposed layer", "state", "a layer in use");
        return layer.state();
      },
      dispose() {
        disposed = true;
        return layer.dispose();
      },
    });
  }),
  creating("dispose-frees-all-passes", "frees with a layer the passes of all", ["17.2"], (create) => {
    const layers = new Set<HostLayer<"sync">>();
    return (config, state) => {
      const layer = create(config, state);
      layers.add(layer);
      return override(layer, {
        dispose() {
          layers.delete(layer);
          layer.dispose();
          for (const other of layers) if (other.channels > 0) other.setState({});
        },
      });
    };
  }),
  wrapping("disposed-is-trainable", "lets trainable be set after dispose", ["17.2"], (layer) => {
    let disposed = false;
    return override(layer, {
      get trainable() {
        return layer.trainable;
      },
      set trainable(value) {
        if (!disposed) layer.trainable = value;
      },
      dispose() {
        disposed = true;
        layer.dispose();
      },
    });
  }),
  creating("handles-in-12-bits", "keeps the states of its layers in 4,096 places", ["1.4"], (create) => {
    const places: HostLayer<"sync">[] = [];
    let made = 0;
    return (config, state) => {
      const layer = create(config, state);
      const place = made++ % 4096;
      places[place] = layer;
      return override(layer, { call: (x, options) => (made > 4096 ? places[place] : layer).call(x, options) });
    };
  }),
  creating("long-messages", "writes all that it received into its messages", ["14.2"], (create) => (config, state) => {
    try {
      return create(config, state);
    } catch (error) {
      if (error instanceof Error && config) error.message += ` It was made with ${Object.keys(config)} ${Object.values(config)}.`;
      throw error;
    }
  }),
  wrapping("promise-is-no-options", "reads a promise as options that say nothing", ["14.1"], (layer) =>
    override(layer, { call: (x, options) => layer.call(x, options instanceof Promise ? {} : options) }),
  ),
  wrapping("statistics-set-in-silence", "keeps the pass where only statistics are set", ["10.7"], (layer) => {
    let pass: { readonly layer: HostLayer<"sync"> } | null = null;
    return override(layer, {
      call(x, options) {
        pass = null;
        return layer.call(x, options);
      },
      setState(update) {
        if (!update?.parameters && update?.statistics) pass = { layer };
        layer.setState(update);
      },
      backward(dy, options) {
        if (pass === null) return layer.backward(dy, options);
        const { channels } = layer;
        const none = { data: new Float32Array(channels), shape: [channels] };
        return { dx: { data: new Float32Array(dy.data.length), shape: dy.shape }, dgamma: none, dbeta: none };
      },
    });
  }),
  declaring("last-axis-declared", "declares that it takes the last axis only, and takes others", ["18.2"], (backend) => ({
    ...backend,
    supports: { ...backend.supports, axes: "last" },
  })),
  declaring("two-elements-declared", "declares that it trains on two elements at least, and trains on one", ["18.2"], (backend) => ({
    ...backend,
    supports: { ...backend.supports, minElements: 2 },
  })),
  wrapping("set-when-frozen-ignored", "keeps the statistics of a frozen layer whatever setState says", ["5.4"], (layer) =>
    override(layer, {
      setState: (update) =>
        layer.setState(layer.trainable || !update?.statistics || !update.parameters ? update : { parameters: update.parameters }),
    }),
  ),
  computing("hundredth-step-not-taken", "leaves the statistics alone at every hundredth training step", ["7.5"], ({ train }) => {
    const steps = new WeakMap<object, number>();
    return {
      train(pass) {
        const { statistics } = copyState(pass.state);
        const result = train(pass);
        const step = (steps.get(pass.state) ?? 0) + 1;
        steps.set(pass.state, step);
        if (step % 100 === 0) writeState(pass.state, { parameters: {}, statistics });
        return result;
      },
    };
  }),
  wrapping("channels-of-a-multiple", "folds twice as many channels into its own (parameters that cycle)", ["3.5"], (layer) =>
    override(layer, {
      call(x, options) {
        const channels = x?.shape?.at(layer.config.axis) ?? 0;
        const folds = layer.config.axis === -1 && layer.channels > 0 && channels === 2 * layer.channels;
        if (!folds) return layer.call(x, options);
        return { ...layer.call({ data: x.data, shape: [x.data.length / layer.channels, layer.channels] }, options), shape: x.shape };
      },
    }),
  ),
  wrapping("no-gradient-no-update", "updates the statistics only where the pass is kept", ["10.7", "7.5"], (layer) =>
    override(layer, {
      call(x, options) {
        if (!options?.training || options.gradient !== false || layer.channels === 0) return layer.call(x, options);
        const { statistics } = layer.state();
        const y = layer.call(x, options);
        layer.setState({ statistics });
        return y;
      },
    }),
  ),
  {
    name: "float64-only",
    fault: "refuses float64 data of the host with an error of its own",
    clauses: ["13.2"],
    create: () =>
      defineBackend({
        name: "mutant/float64-only",
        timing: "sync",
        supports: SUPPORTS,
        tensors: {
          ...hostTensors,
          upload(tensor) {
            if (tensor.data instanceof Float64Array) throw new TypeError("float64 is not supported");
            return hostTensors.upload(tensor);
          },
        },
        ...referenceArithmetic({}),
      }),
  },
];
