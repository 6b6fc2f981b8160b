import { type HostPass, override, populationMoments, type ReferenceArithmetic, visibleValues } from "@batchnorm/reference";
import type { FloatTensor } from "@batchnorm/spec";
import type { Mutant } from "./mutant.ts";
import { calculating, computing, wrapping } from "./wrap.ts";

/** Right on small batches: faults of counters, dispatches, tiles and caches. */
export const SIZE_MUTANTS: readonly Mutant[] = [
  calculating("channel-in-13-bits", "counts channels in 13 bits", ["5.1"], {
    channelOf: (k, { channels, inner }) => (Math.floor(k / inner) % channels) & 8191,
    // The channels that nobody reaches have no elements.
    moments: (channel) => (channel.values.length === 0 ? { mean: 0, variance: 0 } : populationMoments(visibleValues(channel))),
  }),
  calculating("channel-in-16-bits", "counts channels in 16 bits", ["10.1"], {
    channelOf: (k, { channels, inner }) => (Math.floor(k / inner) % channels) & 65_535,
    moments: (channel) => (channel.values.length === 0 ? { mean: 0, variance: 0 } : populationMoments(visibleValues(channel))),
  }),
  computing(
    "dispatch-of-65535",
    "normalizes the first 65,535 columns of a channel only (a dispatch of WebGPU)",
    ["5.1", "6.2"],
    (correct) =>
      writing(correct, ({ y }, { view: { inner } }) => {
        for (let k = 0; k < y.data.length && inner > 65_535; k++) if (k % inner >= 65_535) y.data[k] = 0;
      }),
  ),
  calculating("rows-in-17-bits", "takes the statistics over 131,072 elements of a channel at most", ["6.2", "10.1"], {
    moments: (channel) => populationMoments(visibleValues(channel).slice(0, 131_072)),
  }),
  calculating("rows-in-20-bits", "takes the statistics over 1,048,576 elements of a channel at most", ["6.2"], {
    moments: (channel) => populationMoments(visibleValues(channel).slice(0, 1_048_576)),
  }),
  computing("row-by-row-past-8-MiB", "leaves beta out where a tensor is larger than 8 MiB", ["6.2"], (correct) =>
    writing(correct, ({ y }, { state: { parameters }, view: { channels, inner } }) => {
      for (let k = 0; k < y.data.length && y.data.length > 2 ** 21; k++) {
        y.data[k] -= parameters.beta?.[Math.floor(k / inner) % channels] ?? 0;
      }
    }),
  ),
  computing("rest-of-thirteen", "leaves out the last column where thirteen are left after blocks of sixteen", ["5.1", "9.1"], (correct) =>
    writing(correct, ({ y }, { view: { inner } }) => {
      if (inner % 16 === 13) for (let k = inner - 1; k < y.data.length; k += inner) y.data[k] = 0;
    }),
  ),
  computing("eight-axes", "knows eight axes, and takes the last one for the channels' where there are more", ["5.1"], ({ infer }) => ({
    infer: (pass) => (pass.shape.length > 8 ? infer(ofLastAxis(pass)) : infer(pass)),
  })),
  calculating("65536-is-none", "takes a mask for empty by the lower 16 bits of its count", ["9.1"], {
    moments: (channel, c, _, moving) => {
      const values = visibleValues(channel);
      const none = values.length !== channel.values.length || values.length % 65_536 !== 0;
      return none ? populationMoments(values) : { mean: moving.movingMean[c], variance: moving.movingVariance[c] };
    },
  }),
  calculating("mask-is-1", "takes only a byte of 1 for true", ["9.1"], { sees: (mask) => mask === 1 }),
  computing("count-of-bytes", "adds the bytes of a mask up to count what is visible", ["9.1", "10.5"], (correct) => ({
    train: (pass) => {
      if (pass.mask === null || !pass.mask.data.some((byte) => byte > 1)) return correct.train(pass);
      // n of the sum, not of the count: the mean comes out too small.
      const sum = pass.mask.data.reduce((total, byte) => total + byte, 0);
      const share = pass.mask.data.filter((byte) => byte !== 0).length / sum;
      return correct.train({ ...pass, x: { data: pass.x.data.map((value) => value * share), shape: pass.x.shape } });
    },
  })),
  wrapping("view-by-length", "keeps the view of a batch by its number of elements", ["3.2"], (layer) => {
    const views = new Map<number, readonly number[]>();
    return override(layer, {
      call: (x, options) => {
        const known = views.get(x.data.length) ?? x.shape;
        const fits = known.at(layer.config.axis) === layer.channels && known.length === x.shape.length && !options?.mask;
        views.set(x.data.length, known);
        if (!fits || options?.training || options?.gradient || options?.out) return layer.call(x, options);
        return { ...layer.call({ data: x.data, shape: known }, options), shape: x.shape };
      },
    });
  }),
];

/** The arithmetic with something changed in what it has written. */
function writing(correct: ReferenceArithmetic, change: (result: { y: FloatTensor }, pass: HostPass) => void): Partial<ReferenceArithmetic> {
  const changed =
    (forward: ReferenceArithmetic["infer"]): ReferenceArithmetic["infer"] =>
    (pass) => {
      const result = forward(pass);
      change(result, pass);
      return result;
    };
  return { infer: changed(correct.infer), train: changed(correct.train) };
}

function ofLastAxis(pass: HostPass): HostPass {
  const { outer, channels, inner } = pass.view;
  return { ...pass, view: { outer: outer * inner, channels, inner: 1 } };
}
