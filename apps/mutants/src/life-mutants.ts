import { override, writeState } from "@batchnorm/reference";
import { copyState, type FloatTensor, type StateUpdate } from "@batchnorm/spec";
import type { Mutant } from "./mutant.ts";
import { creating, handling, reordering, wrapping } from "./wrap.ts";

/** Faults around the arithmetic: who owns what, and when things happen. */
export const LIFE_MUTANTS: readonly Mutant[] = [
  creating("state-not-copied-in", "works on the caller's arrays", ["1.4"], (create) => (config, state) => {
    const layer = create(config, state);
    if (typeof state !== "object") return layer;
    const { gamma, beta } = state.parameters;
    return override(layer, {
      state: () => ({
        parameters: { gamma: gamma ? Float32Array.from(gamma) : null, beta: beta ? Float32Array.from(beta) : null },
        statistics: {
          movingMean: Float32Array.from(state.statistics.movingMean),
          movingVariance: Float32Array.from(state.statistics.movingVariance),
        },
      }),
    });
  }),
  wrapping("set-state-not-copied", "works on the arrays that setState was given", ["1.4"], (layer) => {
    let given: StateUpdate = {};
    return override(layer, {
      setState: (update) => {
        given = update;
        layer.setState(update);
      },
      state: () => {
        layer.setState(given);
        return layer.state();
      },
    });
  }),
  wrapping("set-state-resets", "sets what setState leaves out to its initial value", ["1.4"], (layer) =>
    override(layer, {
      setState: ({ parameters, statistics }) => {
        const zeros = new Array<number>(layer.channels).fill(0);
        layer.setState({
          ...(parameters && { parameters: { ...(layer.config.center && { beta: zeros }), ...parameters } }),
          ...(statistics && { statistics: { movingMean: zeros, ...statistics } }),
        });
      },
    }),
  ),
  wrapping("state-null-refused", "does not take back the null that it gives for an absent parameter", ["1.4"], (layer) =>
    override(layer, {
      setState: (update) => {
        if (Object.values(update.parameters ?? {}).some((values) => values === null))
          throw new TypeError("Cannot read properties of null.");
        layer.setState(update);
      },
    }),
  ),
  creating("config-not-copied", "follows the object that it was configured with", ["1.4"], (create) => (config, state) => {
    const layer = create(config, state);
    return override(layer, {
      get config() {
        return { ...layer.config, ...config };
      },
    });
  }),
  handling("upload-not-copied", "takes the host's array for its own", ["17.3"], {
    upload: ({ data, shape }) =>
      data instanceof Float64Array ? { data: Float32Array.from(data), shape } : ({ data, shape } as FloatTensor),
  }),
  creating("output-reused", "writes every result of one size to one buffer (views of a runtime's memory)", ["17.4"], (create) => {
    const buffers = new Map<number, Float32Array>();
    return (config, state) => {
      const layer = create(config, state);
      return override(layer, {
        call: (x, options) => {
          const y = layer.call(x, options);
          const buffer = buffers.get(y.data.length) ?? new Float32Array(y.data.length);
          buffers.set(y.data.length, buffer);
          buffer.set(y.data);
          return options?.out ? y : { data: buffer, shape: y.shape };
        },
      });
    };
  }),
  creating("dispose-frees-all", "frees memory that its layers share", ["17.2"], (create) => {
    let freed = false;
    return (config, state) => {
      freed = false;
      const layer = create(config, state);
      return override(layer, {
        call: (x, options) => {
          if (freed) throw new Error("Use of freed memory.");
          return layer.call(x, options);
        },
        dispose: () => {
          freed = true;
          layer.dispose();
        },
      });
    };
  }),
  wrapping("state-not-copied-out", "hands out the arrays that it works on", ["1.4"], (layer) => {
    const shared = layer.state();
    return override(layer, { state: () => shared });
  }),
  wrapping("out-ignored", "returns a fresh tensor whatever out says", ["17.4"], (layer) =>
    override(layer, { call: (x, options) => layer.call(x, { ...options, out: null }) }),
  ),
  wrapping("x-overwritten", "normalizes in place", ["17.3"], (layer) =>
    override(layer, {
      call: (x, options) => {
        const y = layer.call(x, { ...options, gradient: false, out: null });
        x.data.set(y.data);
        return layer.call(x, options);
      },
    }),
  ),
  wrapping("disposed-lives", "works after dispose", ["17.2"], (layer) => override(layer, { dispose: () => undefined })),
  wrapping("freeze-at-creation-only", "decides at creation whether it is frozen (tfjs: at compile)", ["4.3"], (layer) =>
    override(layer, { freeze: () => undefined, unfreeze: () => undefined }),
  ),
  reordering("calls-race", "runs calls that overlap in any order", ["17.1"], (layer) => {
    let delay = 3;
    return override(layer, {
      call: async (x, options) => {
        // Every call waits for less than the one before it.
        for (let tick = delay--; tick > 0; tick--) await null;
        if (delay < 0) delay = 3;
        return layer.call(x, options);
      },
    });
  }),
  reordering("throws-from-async", "throws where it should reject", ["14.1"], (layer) =>
    override(layer, {
      call: (x, options) => {
        if (x.shape.at(layer.config.axis) !== layer.channels)
          throw Object.assign(new Error("channel-mismatch"), { code: "channel-mismatch" });
        return layer.call(x, options);
      },
    }),
  ),
  reordering("freeze-overtakes", "looks whether it is frozen when a call runs, not when it is made", ["17.1"], (layer) =>
    override(layer, {
      call: async (x, options) => {
        await null;
        return layer.call(x, options);
      },
    }),
  ),
  reordering("state-overtakes", "reads the state past the calls that wait", ["17.1"], (layer, live) =>
    override(layer, { state: async () => copyState(live()) }),
  ),
  reordering("set-state-overtakes", "sets the state past the calls that wait", ["17.1"], (layer, live) =>
    override(layer, {
      setState: async ({ parameters = {}, statistics = {} }) => {
        const float32 = (part: Readonly<Record<string, Float32Array | readonly number[] | null>>): Record<string, Float32Array> =>
          Object.fromEntries(Object.entries(part).flatMap(([name, values]) => (values ? [[name, Float32Array.from(values)]] : [])));
        writeState(live(), { parameters: float32(parameters), statistics: float32(statistics) });
      },
    }),
  ),
  reordering("backward-overtaken", "differentiates the pass that is last when backward runs", ["17.1"], (layer) => {
    let calls: Promise<unknown> = Promise.resolve();
    return override(layer, {
      call: (x, options) => {
        const y = layer.call(x, options);
        calls = y.catch(() => undefined);
        return y;
      },
      backward: async (dy, options) => {
        await calls;
        return layer.backward(dy, options);
      },
    });
  }),
];
