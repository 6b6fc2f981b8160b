import type { CallOptions, Supports } from "./backend.ts";
import type { BatchNormConfig } from "./config.ts";
import { BatchNormError } from "./errors.ts";
import { decideMode, type Mode } from "./mode.ts";
import { rejectUnknownKeys } from "./object.ts";
import { checkDataLength, type TensorAccess, type TensorInfo } from "./tensor.ts";
import { type ChannelView, channelView, elementsPerChannel, maskShape, sameShape } from "./view.ts";

/** Everything a backend needs to know of a call that has been found in order. */
export interface ForwardPlan<Tensor> {
  readonly shape: readonly number[];
  readonly view: ChannelView;
  readonly mode: Mode;
  /** Bool over `[outer, inner]`; null where no mask was given or moving statistics normalize (clause 9.5). */
  readonly mask: Tensor | null;
  readonly out: Tensor | null;
  /** Whether `saved` has to be returned for `backward`. */
  readonly gradient: boolean;
}

const CALL_OPTIONS = ["training", "mask", "out", "gradient"] as const;

/** A forward pass that `backward` may go back through. */
export interface KeptForward<Tensor> {
  readonly plan: ForwardPlan<Tensor>;
  readonly x: Tensor;
}

/** What a layer knows of itself when it checks a call. */
export interface CallContext<Tensor> extends TensorAccess<Tensor> {
  readonly config: BatchNormConfig;
  readonly supports: Supports;
  readonly channels: number;
}

/**
 * Checks one forward call from shapes and dtypes alone; no data is read, nothing is changed.
 *
 * @throws BatchNormError `invalid-argument`, `unknown-dtype`, `invalid-shape`, `invalid-rank`, `invalid-axis`,
 * `data-length`, `channel-mismatch`, `invalid-mask`, `invalid-out`, `empty-batch`, `unsupported`.
 */
export function planForward<Tensor>(context: CallContext<Tensor>, x: Tensor, options: CallOptions<Tensor>): ForwardPlan<Tensor> {
  const { config, supports, channels } = context;
  rejectUnknownKeys("invalid-argument", "The options of the call", options as unknown, CALL_OPTIONS);
  const training = options.training ?? false;
  const gradient = options.gradient ?? training;
  for (const [name, value] of [
    ["training", training],
    ["gradient", gradient],
  ] as const) {
    if (typeof value !== "boolean") throw new BatchNormError("invalid-argument", `${name} is not a boolean`, value, "true or false");
  }
  const info = context.describe(x);
  checkDType("x", info, supports);
  const view = channelView(info.shape, config.axis);
  if (supports.maxRank !== null && info.shape.length > supports.maxRank) {
    throw new BatchNormError("invalid-rank", "This backend does not take such a rank", info.shape.length, `at most ${supports.maxRank}`);
  }
  checkDataLength("x", info);
  if (view.channels !== channels) {
    throw new BatchNormError(
      "channel-mismatch",
      `x has the wrong number of channels on axis ${config.axis}`,
      info.shape,
      `${channels} there`,
    );
  }
  const mode = decideMode(training, config.trainable);
  if (mode.normalizeWith === "batch") {
    if (!supports.training) throw new BatchNormError("unsupported", "This backend cannot train", "training: true", "inference");
    if (elementsPerChannel(view) === 0) {
      throw new BatchNormError("empty-batch", "There is nothing to train on", info.shape, "at least one element per channel");
    }
  }
  if (gradient && !supports.gradients) {
    // Asked for by name it is an error; as the default of a training call it is not wanted.
    if (options.gradient) throw new BatchNormError("unsupported", "This backend has no backward", "gradient: true", "gradient: false");
  }
  const keeps = gradient && supports.gradients;
  const mask = options.mask ?? null;
  if (mask !== null) checkMask(context, mask, info.shape);
  const out = options.out ?? null;
  if (out !== null) {
    checkOut(context, out, info);
    if (keeps && context.overlaps(out, x)) {
      throw new BatchNormError(
        "invalid-out",
        "out overlaps x, which backward needs",
        "the memory of x",
        "another buffer, or gradient: false",
      );
    }
  }
  return { shape: info.shape, view, mode, mask: mode.normalizeWith === "batch" ? mask : null, out, gradient: keeps };
}

/**
 * Checks the arguments of `backward` against the forward pass it belongs to.
 *
 * @throws BatchNormError `unknown-dtype`, `data-length`, `invalid-gradient`, `invalid-out`.
 */
export function checkBackward<Tensor>(context: CallContext<Tensor>, forward: KeptForward<Tensor>, dy: Tensor, out: Tensor | null): void {
  const { plan, x } = forward;
  const info = context.describe(dy);
  checkDType("dy", info, context.supports);
  if (!sameShape(info.shape, plan.shape)) {
    throw new BatchNormError(
      "invalid-gradient",
      "dy has the wrong shape",
      info.shape,
      `[${plan.shape.join(", ")}], the shape of the last output`,
    );
  }
  checkDataLength("dy", info);
  if (out === null) return;
  checkOut(context, out, info);
  if (context.overlaps(out, x)) {
    throw new BatchNormError(
      "invalid-out",
      "out overlaps x, which another backward would need",
      "the memory of x",
      "another buffer, such as dy",
    );
  }
}

function checkDType(what: string, info: TensorInfo, supports: Supports): void {
  if (!(supports.dtypes as readonly string[]).includes(info.dtype)) {
    throw new BatchNormError("unknown-dtype", `The dtype of ${what} is not taken`, info.dtype, supports.dtypes.join(" or "));
  }
}

function checkMask<Tensor>(context: CallContext<Tensor>, mask: Tensor, shape: readonly number[]): void {
  if (!context.supports.masks) throw new BatchNormError("unsupported", "This backend takes no mask", "a mask", "no mask");
  const info = context.describe(mask);
  const wanted = maskShape(shape, context.config.axis);
  if (info.dtype !== "bool") throw new BatchNormError("invalid-mask", "The mask has the wrong dtype", info.dtype, "bool");
  if (!sameShape(info.shape, wanted)) {
    throw new BatchNormError(
      "invalid-mask",
      "The mask has the wrong shape",
      info.shape,
      `[${wanted.join(", ")}], the axes of x but the channel axis`,
    );
  }
  checkDataLength("the mask", info);
}

function checkOut<Tensor>(context: CallContext<Tensor>, out: Tensor, wanted: TensorInfo): void {
  if (!context.supports.out) throw new BatchNormError("unsupported", "This backend takes no output buffer", "out", "no out");
  const info = context.describe(out);
  if (info.dtype !== wanted.dtype) throw new BatchNormError("invalid-out", "out has the wrong dtype", info.dtype, wanted.dtype);
  if (!sameShape(info.shape, wanted.shape)) {
    throw new BatchNormError("invalid-out", "out has the wrong shape", info.shape, `[${wanted.shape.join(", ")}]`);
  }
  checkDataLength("out", info);
}
