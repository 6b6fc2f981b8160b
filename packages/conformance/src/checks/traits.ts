import { type BatchNormConfig, channelView, elementsPerChannel, resolveAxis } from "@batchnorm/spec";
import type { Case, Step } from "../vectors/case.ts";
import type { HalfDType } from "../vectors/half.ts";

/** A layer and its steps without their numbers. */
export interface LayerOutline {
  readonly config: Partial<BatchNormConfig> & Pick<BatchNormConfig, "axis">;
  readonly steps: readonly StepOutline[];
}

export interface StepOutline {
  readonly shape: readonly number[];
  readonly training: boolean;
  readonly trainable: boolean;
  readonly gradient: boolean;
  readonly masked: boolean;
  readonly dtype?: HalfDType | undefined;
}

/** Sizes from which on something is large: where a byte, a tile, 16 bits and a million end. */
const SIZES = [256, 4096, 65_536, 1_048_576];

/**
 * What a layer has in common with others: axis, rank, mode, mask, size, and what is special about its config. One fault of a backend
 * is often in all cases of one trait, whatever their clauses.
 */
export function layerTraits({ config, steps }: LayerOutline): string[] {
  const ranks = steps.map(({ shape }) => shape.length);
  const rank = Math.max(...ranks);
  const last = steps.every(({ shape }) => resolveAxis(config.axis, shape.length) === shape.length - 1);
  const views = steps.map(({ shape }) => channelView(shape, config.axis));
  const elements = Math.max(...views.map(elementsPerChannel));
  const channels = Math.max(...views.map((view) => view.channels));
  const has = (holds: (step: StepOutline) => boolean): boolean => steps.some(holds);
  return named([
    ["axis last", last],
    ["axis not last", !last],
    ["axis negative", config.axis < 0],
    ["axis first", views.some(({ outer }) => outer === 1)],
    [`rank ${rank}`, true],
    ...[2, 3, 4, 5].map((limit) => [`rank over ${limit}`, rank > limit] as const),
    ["inference", has(({ training, trainable }) => !training && trainable)],
    ["training", has(({ training, trainable }) => training && trainable)],
    ["frozen", has(({ trainable }) => !trainable)],
    ["gradient", has(({ gradient }) => gradient)],
    ["mask", has(({ masked }) => masked)],
    ["several steps", steps.length > 1],
    ["several shapes", new Set(steps.map(({ shape }) => String(shape))).size > 1],
    ["a dimension of 1", has(({ shape }) => shape.includes(1))],
    ["empty batch", views.some((view) => elementsPerChannel(view) === 0)],
    ["one element a channel", views.some((view) => elementsPerChannel(view) === 1)],
    ...SIZES.map((size) => [`${size} elements a channel or more`, elements >= size] as const),
    ["one channel", channels === 1],
    ...SIZES.map((size) => [`${size} channels or more`, channels >= size] as const),
    ["no gamma", config.scale === false],
    ["no beta", config.center === false],
    ["sample variance", config.varianceEstimator === "sample"],
    ["float16", has(({ dtype }) => dtype === "float16")],
    ["bfloat16", has(({ dtype }) => dtype === "bfloat16")],
    ["momentum 0", config.momentum === 0],
    ["momentum 1", config.momentum === 1],
  ]);
}

/** The traits of a case: those of its layer, and what is special about its numbers. */
export function caseTraits({ config, steps, flags }: Case): string[] {
  const has = (holds: (step: Step) => boolean): boolean => steps.some(holds);
  const outlines = steps.map(({ dy, mask, ...step }) => ({ ...step, gradient: dy !== null, masked: mask !== null }));
  return [
    ...layerTraits({ config, steps: outlines }),
    ...named([
      ["parameters set", has(({ parameters }) => parameters !== null)],
      ["constant channel", has(({ batch }) => batch?.variance.includes(0) ?? false)],
      ["mean far from 0", has(isFarFromZero)],
      ["subnormal numbers", flags.includes("subnormal")],
      ["NaN or infinity", has(({ x }) => !x.every(Number.isFinite))],
    ]),
  ];
}

function named(traits: readonly (readonly [name: string, holds: boolean])[]): string[] {
  return traits.filter(([, holds]) => holds).map(([name]) => name);
}

/** Whether the mean of a channel is many deviations away from 0: what is lost in a difference of squares. */
function isFarFromZero({ batch }: Step): boolean {
  return (
    batch?.mean.some((mean, channel) => batch.variance[channel] > 0 && Math.abs(mean) > 30 * Math.sqrt(batch.variance[channel])) ?? false
  );
}
