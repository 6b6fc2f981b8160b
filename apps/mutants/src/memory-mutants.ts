import { override } from "@batchnorm/reference";
import type { Mutant } from "./mutant.ts";
import { computing, creating, wrapping } from "./wrap.ts";

/** The numbers that were in an array when it was first seen: what a cache by identity has of an array that was written to since. */
function firstSeen(): <Data extends Float32Array | Uint8Array>(tensor: {
  readonly data: Data;
  readonly shape: readonly number[];
}) => { readonly data: Data; readonly shape: readonly number[] } {
  const copies = new WeakMap<object, Float32Array | Uint8Array>();
  return (tensor) => {
    const { data } = tensor;
    const known = copies.get(data) ?? data.slice();
    copies.set(data, known);
    return known.length === data.length ? { ...tensor, data: known as typeof data } : tensor;
  };
}

/** What is remembered, or forgotten, where it should not be. */
export const MEMORY_MUTANTS: readonly Mutant[] = [
  computing("x-by-identity", "takes an array that it has seen for the x that was in it then", ["17.3"], ({ infer, train }) => {
    const seen = firstSeen();
    return {
      infer: (pass) => infer(pass.out === null ? { ...pass, x: seen(pass.x) } : pass),
      train: (pass) => train(pass.out === null ? { ...pass, x: seen(pass.x) } : pass),
    };
  }),
  computing("mask-by-identity", "counts an array of a mask once, whatever is in it later", ["17.3"], ({ train }) => {
    const seen = firstSeen();
    return { train: (pass) => train(pass.mask === null ? pass : { ...pass, mask: seen(pass.mask) }) };
  }),
  computing("dy-by-identity", "takes an array that it has seen for the dy that was in it then", ["17.3"], ({ backward }) => {
    const seen = firstSeen();
    return { backward: (given) => backward(given.out === null ? { ...given, dy: seen(given.dy) } : given) };
  }),
  wrapping("set-state-by-identity", "takes a gamma that it was given before for the one that it has", ["1.4"], (layer) => {
    let last: unknown = null;
    return override(layer, {
      setState(update) {
        const gamma = update?.parameters?.gamma;
        if (gamma === undefined || gamma === null || gamma !== last) layer.setState(update);
        else {
          const { gamma: _, ...rest } = update.parameters!;
          layer.setState({ ...update, parameters: rest });
        }
        last = gamma;
      },
    });
  }),
  wrapping("unfreeze-drops-the-pass", "forgets the last pass when an unfrozen layer is unfrozen", ["4.3"], (layer) =>
    override(layer, {
      unfreeze() {
        const changes = !layer.trainable;
        layer.unfreeze();
        if (!changes && layer.channels > 0) layer.setState({});
      },
    }),
  ),
  wrapping("trainable-drops-the-pass", "forgets the last pass when trainable is set to what it is", ["4.3"], (layer) =>
    override(layer, {
      get trainable() {
        return layer.trainable;
      },
      set trainable(value) {
        const changes = layer.trainable !== value;
        layer.trainable = value;
        if (!changes && layer.channels > 0) layer.setState({});
      },
    }),
  ),
  creating(
    "first-step-only-builds",
    "makes a state of a first training step that keeps nothing, and does not move it",
    ["1.3"],
    (create) => {
      return (config, state) => {
        const layer = create(config, state);
        return override(layer, {
          call(x, options) {
            const builds = layer.channels === 0 && options?.gradient === false;
            const y = layer.call(x, options);
            const { channels } = layer;
            if (builds)
              layer.setState({
                statistics: { movingMean: new Float32Array(channels), movingVariance: new Float32Array(channels).fill(1) },
              });
            return y;
          },
        });
      };
    },
  ),
  creating(
    "hidden-first-step",
    "makes a variance of 0 for a layer whose first mask hides everything",
    ["1.3"],
    (create) => (config, state) => {
      const layer = create(config, state);
      return override(layer, {
        call(x, options) {
          const builds = layer.channels === 0;
          const y = layer.call(x, options);
          const hides = options?.mask?.data.every((byte) => byte === 0) ?? false;
          if (builds && options?.training && hides) layer.setState({ statistics: { movingVariance: new Float32Array(layer.channels) } });
          return y;
        },
      });
    },
  ),
];
