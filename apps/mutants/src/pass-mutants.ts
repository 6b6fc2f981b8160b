import { type HostPass, override, writeState } from "@batchnorm/reference";
import { type BatchNormState, copyState, type FloatTensor } from "@batchnorm/spec";
import type { Mutant } from "./mutant.ts";
import { computing, creating, wrapping } from "./wrap.ts";

/** Passes that are right by themselves, and do something at a wrong time or to a wrong tensor. */
export const PASS_MUTANTS: readonly Mutant[] = [
  computing("moves-in-backward", "updates the statistics in backward, where one may follow", ["7.1"], ({ train, backward }) => {
    const due = new WeakMap<HostPass, BatchNormState["statistics"]>();
    return {
      train(pass) {
        if (!pass.gradient) return train(pass);
        const { statistics } = copyState(pass.state);
        const result = train(pass);
        due.set(pass, copyState(pass.state).statistics);
        writeState(pass.state, { parameters: {}, statistics });
        return result;
      },
      backward(given) {
        const statistics = due.get(given.pass);
        if (statistics) writeState(given.pass.state, { parameters: {}, statistics });
        due.delete(given.pass);
        return backward(given);
      },
    };
  }),
  computing("dy-is-scratch", "writes dx over dy", ["10.2", "17.3"], ({ backward }) => ({
    backward: (given) => backward({ ...given, out: given.out ?? given.dy }),
  })),
  creating("ring-of-buffers", "writes results to eight buffers in turn", ["7.5"], (create) => {
    const buffers = new Map<number, Float32Array[]>();
    let next = 0;
    return (config, state) => {
      const layer = create(config, state);
      return override(layer, {
        call(x, options) {
          const y = layer.call(x, options);
          if (options?.out) return y;
          const ring = buffers.get(y.data.length) ?? Array.from({ length: 8 }, () => new Float32Array(y.data.length));
          buffers.set(y.data.length, ring);
          const data = ring[next++ % ring.length];
          data.set(y.data);
          return { data, shape: y.shape };
        },
      });
    };
  }),
  wrapping("dispose-frees-results", "frees with the layer what its calls gave", ["5.1"], (layer) => {
    const given: FloatTensor[] = [];
    return override(layer, {
      call(x, options) {
        const y = layer.call(x, options);
        if (!options?.out) given.push(y);
        return y;
      },
      dispose() {
        layer.dispose();
        for (const { data } of given) data.fill(0);
      },
    });
  }),
];
