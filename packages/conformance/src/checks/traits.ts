import { channelView, elementsPerChannel, resolveAxis } from "@batchnorm/spec";
import type { Case, Step } from "../vectors/case.ts";

/** Sizes from which on a case is large: where a byte, 16 bits and the exact integers of a float end, in elements of a channel. */
const SIZES = [256, 4096, 65_536, 1_048_576];

/**
 * What a case has in common with others: axis, rank, mode, mask, size, and what is special about its config and data. One fault in
 * a backend is often in all cases of one trait, whatever their clauses.
 */
export function traitsOf({ config, flags, steps }: Case): string[] {
  const ranks = steps.map(({ shape }) => shape.length);
  const rank = Math.max(...ranks);
  const last = steps.every(({ shape }) => resolveAxis(config.axis, shape.length) === shape.length - 1);
  const views = steps.map(({ shape }) => channelView(shape, config.axis));
  const elements = Math.max(...views.map(elementsPerChannel));
  const channels = Math.max(...views.map((view) => view.channels));
  const has = (holds: (step: Step) => boolean): boolean => steps.some(holds);
  const traits: readonly (readonly [string, boolean])[] = [
    ["axis last", last],
    ["axis not last", !last],
    ["axis negative", config.axis < 0],
    ["axis first", views.some(({ outer }) => outer === 1)],
    [`rank ${rank}`, true],
    ["rank over 2", rank > 2],
    ["rank over 3", rank > 3],
    ["rank over 4", rank > 4],
    ["inference", has(({ training, trainable }) => !training && trainable)],
    ["training", has(({ batch }) => batch !== null)],
    ["frozen", has(({ trainable }) => !trainable)],
    ["gradient", has(({ dy }) => dy !== null)],
    ["mask", has(({ mask }) => mask !== null)],
    ["several steps", steps.length > 1],
    ["several shapes", new Set(steps.map(({ shape }) => String(shape))).size > 1],
    ["parameters set", has(({ parameters }) => parameters !== null)],
    ["a dimension of 1", has(({ shape }) => shape.includes(1))],
    ["empty batch", views.some((view) => elementsPerChannel(view) === 0)],
    ["one element a channel", views.some((view) => elementsPerChannel(view) === 1)],
    ...SIZES.map((size) => [`${size} elements a channel or more`, elements >= size] as const),
    ["one channel", channels === 1],
    ...SIZES.map((size) => [`${size} channels or more`, channels >= size] as const),
    ["no gamma", !config.scale],
    ["no beta", !config.center],
    ["sample variance", config.varianceEstimator === "sample"],
    ["momentum 0", config.momentum === 0],
    ["momentum 1", config.momentum === 1],
    ["constant channel", has(({ batch }) => batch?.variance.includes(0) ?? false)],
    ["mean far from 0", has(isFarFromZero)],
    ["subnormal numbers", flags.includes("subnormal")],
    ["NaN or infinity", has(({ x }) => !x.every(Number.isFinite))],
  ];
  return traits.filter(([, holds]) => holds).map(([name]) => name);
}

/** Whether the mean of a channel is many deviations away from 0: what is lost in a difference of squares. */
function isFarFromZero({ batch }: Step): boolean {
  return (
    batch?.mean.some((mean, channel) => Math.abs(mean) > 30 * Math.sqrt(batch.variance[channel]) && batch.variance[channel] > 0) ?? false
  );
}
