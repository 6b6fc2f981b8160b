import type {
  BackwardOptions,
  BatchNormConfig,
  CallOptions,
  ChannelView,
  DType,
  Mode,
  Pass,
  Supports,
  TensorAccess,
  TensorInfo,
} from "./contract.ts";
import { BatchNormError, isBatchNormError } from "./errors.ts";
import { decideMode } from "./mode.ts";
import { rejectUnknownKeys } from "./objects.ts";
import { channelView, checkDataLength, elementsPerChannel, maskShape, sameShape } from "./view.ts";

// The checks of one call: from shapes and dtypes alone, before anything is computed or changed.

/** What a layer knows of itself when it checks a call. */
export interface CallContext<Tensor, Mask> {
  readonly tensors: Pick<TensorAccess<Tensor, never, Mask>, "describe" | "overlap">;
  readonly supports: Supports;
  readonly config: BatchNormConfig;
  /** 0 while the layer has no state. */
  readonly channels: number;
}

/** A shape that has been found in order, and its view: the layer's own copy, which nobody else can change. */
export interface CheckedShape {
  readonly shape: readonly number[];
  readonly view: ChannelView;
}

/** A call that has been found in order. */
export interface CheckedCall<Tensor, Mask> extends CheckedShape {
  readonly dtype: DType;
  readonly training: boolean;
  readonly mode: Mode;
  readonly mask: Mask | null;
  readonly out: Tensor | null;
  readonly gradient: boolean;
}

const CALL_OPTIONS = ["training", "mask", "out", "gradient"] as const;

/**
 * Checks one forward call.
 *
 * @param last the shape of the call before, which need not be checked again.
 * @throws BatchNormError `invalid-argument`, `unknown-dtype`, `invalid-shape`, `invalid-rank`, `invalid-axis`,
 * `data-length`, `channel-mismatch`, `invalid-mask`, `invalid-out`, `empty-batch`, `unsupported`.
 */
export function checkCall<Tensor, Mask>(
  context: CallContext<Tensor, Mask>,
  last: CheckedShape | null,
  x: Tensor,
  options: CallOptions<Tensor, Mask>,
): CheckedCall<Tensor, Mask> {
  const { config, supports } = context;
  rejectUnknownKeys("invalid-argument", "The options of the call", options as unknown, CALL_OPTIONS);
  const { training = false, gradient = training } = options;
  checkBoolean("training", training);
  checkBoolean("gradient", gradient);
  const info = describe(context, "x", x);
  const dtype = checkDType("x", info, supports);
  const checked = last !== null && Array.isArray(info.shape) && sameShape(info.shape, last.shape) ? last : checkShape(context, info.shape);
  const { shape, view } = checked;
  checkDataLength("x", info, shape);
  if (context.channels !== 0 && view.channels !== context.channels) {
    throw new BatchNormError(
      "channel-mismatch",
      `x has the wrong number of channels on axis ${config.axis}`,
      shape,
      `${context.channels} there`,
    );
  }
  const mode = decideMode(training, config.trainable);
  if (mode.normalizeWith === "batch") checkTraining(supports, checked);
  // Asked for by name it is an error; as the default of a training call it is not wanted.
  if (options.gradient && !supports.gradients) {
    throw new BatchNormError("unsupported", "This backend has no backward", "gradient: true", "gradient: false");
  }
  const keeps = gradient && supports.gradients;
  const mask = options.mask ?? null;
  if (mask !== null) checkMask(context, mask, shape);
  const out = options.out ?? null;
  if (out !== null) {
    checkOut(context, out, dtype, shape);
    checkApart(context, "x", out, x, keeps ? "nothing" : "whole");
    if (mask !== null) checkApart(context, "the mask", out, mask, "nothing");
  }
  return { dtype, shape, view, training, mode, mask: mode.normalizeWith === "batch" ? mask : null, out, gradient: keeps };
}

/**
 * Checks the arguments of `backward` against the forward pass it belongs to.
 *
 * @throws BatchNormError `invalid-argument`, `unknown-dtype`, `data-length`, `invalid-gradient`, `invalid-out`,
 * `unsupported`.
 */
export function checkBackward<Tensor, State, Mask>(
  context: CallContext<Tensor, Mask>,
  { x, dtype, shape, mask }: Pass<Tensor, State, Mask>,
  dy: Tensor,
  options: BackwardOptions<Tensor>,
): void {
  const info = describe(context, "dy", dy);
  checkDType("dy", info, context.supports);
  if (info.dtype !== dtype) {
    throw new BatchNormError("invalid-gradient", "dy has the wrong dtype", info.dtype, `${dtype}, the dtype of the last output`);
  }
  if (!Array.isArray(info.shape) || !sameShape(info.shape, shape)) {
    throw new BatchNormError(
      "invalid-gradient",
      "dy has the wrong shape",
      info.shape,
      `[${shape.join(", ")}], the shape of the last output`,
    );
  }
  checkDataLength("dy", info, shape);
  const out = options.out ?? null;
  if (out === null) return;
  checkOut(context, out, dtype, shape);
  checkApart(context, "dy", out, dy, "whole");
  // Another backward may follow, and would need both.
  checkApart(context, "x", out, x, "nothing");
  if (mask !== null) checkApart(context, "the mask", out, mask, "nothing");
}

/** @throws BatchNormError `invalid-argument` for options that are no object, or an unknown one. */
export function checkBackwardOptions(options: unknown): void {
  rejectUnknownKeys("invalid-argument", "The options of backward", options, ["out"]);
}

/**
 * What a tensor is. Whatever a runtime says of something that is none of its tensors becomes one of the contract's errors.
 *
 * @throws BatchNormError `invalid-argument`.
 */
export function describe<Tensor, Mask>(
  { tensors }: Pick<CallContext<Tensor, Mask>, "tensors">,
  what: string,
  tensor: Tensor | Mask,
): TensorInfo {
  try {
    return tensors.describe(tensor);
  } catch (cause) {
    if (isBatchNormError(cause)) throw cause;
    throw new BatchNormError("invalid-argument", `${what} is not a tensor of this backend`, tensor, "a tensor", cause);
  }
}

function checkShape<Tensor, Mask>({ config, supports }: CallContext<Tensor, Mask>, given: readonly number[]): CheckedShape {
  const view = channelView(given, config.axis);
  const shape = Object.freeze([...given]);
  if (supports.maxRank !== null && shape.length > supports.maxRank) {
    throw new BatchNormError("invalid-rank", "This backend does not take such a rank", shape.length, `at most ${supports.maxRank}`);
  }
  if (supports.axes === "last" && config.axis !== -1 && config.axis !== shape.length - 1) {
    throw new BatchNormError("unsupported", "This backend takes the last axis only", config.axis, `axis -1 or ${shape.length - 1}`);
  }
  return { shape, view };
}

function checkTraining(supports: Supports, { shape, view }: CheckedShape): void {
  if (!supports.training) throw new BatchNormError("unsupported", "This backend cannot train", "training: true", "inference");
  const elements = elementsPerChannel(view);
  if (elements === 0) {
    throw new BatchNormError("empty-batch", "There is nothing to train on", shape, "at least one element per channel");
  }
  if (elements < supports.minElements) {
    throw new BatchNormError(
      "unsupported",
      "This backend does not train on so few elements per channel",
      elements,
      `at least ${supports.minElements}`,
    );
  }
}

function checkBoolean(name: string, value: unknown): void {
  if (typeof value !== "boolean") throw new BatchNormError("invalid-argument", `${name} is not a boolean`, value, "true or false");
}

function checkDType(what: string, { dtype }: TensorInfo, { dtypes }: Supports): DType {
  if ((dtypes as readonly string[]).includes(dtype)) return dtype as DType;
  throw new BatchNormError("unknown-dtype", `The dtype of ${what} is not taken`, dtype, dtypes.join(" or "));
}

function checkMask<Tensor, Mask>(context: CallContext<Tensor, Mask>, mask: Mask, shape: readonly number[]): void {
  if (!context.supports.masks) throw new BatchNormError("unsupported", "This backend takes no mask", "a mask", "no mask");
  const info = describe(context, "The mask", mask);
  const wanted = maskShape(shape, context.config.axis);
  if (info.dtype !== "bool") throw new BatchNormError("invalid-mask", "The mask has the wrong dtype", info.dtype, "bool");
  if (!Array.isArray(info.shape) || !sameShape(info.shape, wanted)) {
    throw new BatchNormError(
      "invalid-mask",
      "The mask has the wrong shape",
      info.shape,
      `[${wanted.join(", ")}], the axes of x but the channel axis`,
    );
  }
  checkDataLength("the mask", info, wanted);
}

function checkOut<Tensor, Mask>(context: CallContext<Tensor, Mask>, out: Tensor, dtype: string, shape: readonly number[]): void {
  if (!context.supports.out) throw new BatchNormError("unsupported", "This backend takes no output buffer", "out", "no out");
  const info = describe(context, "out", out);
  if (info.dtype !== dtype) throw new BatchNormError("invalid-out", "out has the wrong dtype", info.dtype, dtype);
  if (!Array.isArray(info.shape) || !sameShape(info.shape, shape)) {
    throw new BatchNormError("invalid-out", "out has the wrong shape", info.shape, `[${shape.join(", ")}]`);
  }
  checkDataLength("out", info, shape);
}

/** What is written must not run into what is still to be read: apart, or, where that is allowed, the very same elements. */
function checkApart<Tensor, Mask>(
  { tensors }: CallContext<Tensor, Mask>,
  what: string,
  out: Tensor,
  other: Tensor | Mask,
  allowed: "nothing" | "whole",
): void {
  const overlap = tensors.overlap?.(out, other) ?? "none";
  if (overlap === "none" || (overlap === "same" && allowed === "whole")) return;
  throw new BatchNormError(
    "invalid-out",
    `out overlaps ${what}, which is still needed`,
    overlap === "same" ? `the memory of ${what}` : `part of the memory of ${what}`,
    allowed === "whole" ? `${what} itself, or other memory` : "other memory",
  );
}
