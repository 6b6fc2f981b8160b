import { resolveConfig } from "../config.ts";
import type { BatchNormConfig, BatchNormState, Numbers } from "../contract.ts";
import { BatchNormError } from "../errors.ts";
import { rejectUnknownKeys, requireKeys } from "../objects.ts";
import { resolveState } from "../state.ts";
import { filledParameters, requireAxisOne, requireEstimator } from "./expressible.ts";
import type { ConfigAndState } from "./json.ts";

/** The constructor arguments of `torch.nn.BatchNorm1d`, `2d` and `3d`, by PyTorch's names; what is absent has PyTorch's default. */
export interface PyTorchModule {
  readonly num_features: number;
  /** Default 1e-5. */
  readonly eps?: number;
  /** The weight of the NEW value. Default 0.1. PyTorch's null is a cumulative average, which has no equal here. */
  readonly momentum?: number | null;
  /** Default true: weight and bias. */
  readonly affine?: boolean;
  /** Default true; false has no equal here. */
  readonly track_running_stats?: boolean;
}

/** The module's `state_dict()`. Each is `[num_features]`; weight and bias are there if and only if `affine`. */
export interface PyTorchStateDict<Vector = Numbers> {
  readonly weight?: Vector | null;
  readonly bias?: Vector | null;
  readonly running_mean: Vector;
  readonly running_var: Vector;
  /** Only PyTorch's cumulative average reads it: not taken over, and PyTorch loads a `state_dict` without it. */
  readonly num_batches_tracked?: unknown;
}

/** What rebuilds a PyTorch module: its constructor's arguments and what `load_state_dict` takes. */
export interface PyTorchLayer {
  readonly module: Required<PyTorchModule>;
  readonly stateDict: PyTorchStateDict<Float32Array>;
}

const MODULE_DEFAULTS = { eps: 1e-5, momentum: 0.1, affine: true, track_running_stats: true };
const MODULE_KEYS = ["num_features", ...Object.keys(MODULE_DEFAULTS)];
const STATISTIC_KEYS = ["running_mean", "running_var"];
const STATE_KEYS = ["weight", "bias", ...STATISTIC_KEYS, "num_batches_tracked"];

/**
 * PyTorch's layer in the words of the contract (clause 16.1): axis 1, momentum as the weight of the old value, and the sample
 * variance, which is what PyTorch puts into running_var.
 *
 * Source: PyTorch, `torch.nn.BatchNorm2d`.
 *
 * @throws BatchNormError `invalid-argument` and `invalid-momentum` for the module, `invalid-state`, `missing-parameter`,
 * `unexpected-parameter` and `wrong-length` for the state_dict, `cannot-convert` for momentum null and track_running_stats
 * false, and what `resolveConfig` and `resolveState` throw.
 */
export function fromPyTorch(module: PyTorchModule, stateDict: PyTorchStateDict): ConfigAndState {
  rejectUnknownKeys("invalid-argument", "The PyTorch module", module as unknown, MODULE_KEYS);
  const { eps = MODULE_DEFAULTS.eps, momentum = MODULE_DEFAULTS.momentum, affine = MODULE_DEFAULTS.affine } = module;
  checkModule(module, momentum, affine);
  checkStateDict(module.num_features, affine, stateDict);
  const config = resolveConfig({
    axis: 1,
    momentum: complement(momentum as number),
    epsilon: eps,
    center: affine,
    scale: affine,
    varianceEstimator: "sample",
  });
  const { weight = null, bias = null, running_mean: movingMean, running_var: movingVariance } = stateDict;
  return { config, state: resolveState(config, { parameters: { gamma: weight, beta: bias }, statistics: { movingMean, movingVariance } }) };
}

/**
 * The PyTorch module that computes the same. Where only one of gamma and beta is present, the other is filled in, with ones or
 * zeros, and PyTorch will train it too.
 *
 * `trainable` and `nonFinite` have no equal and are left out: PyTorch's only freezing is `.eval()` (`requires_grad` set to false
 * still moves the statistics), and it always propagates.
 *
 * @throws BatchNormError `cannot-convert` unless axis is 1 and varianceEstimator 'sample', and what `resolveConfig` and
 * `resolveState` throw.
 */
export function toPyTorch(config: BatchNormConfig, state: BatchNormState): PyTorchLayer {
  const resolved = resolveConfig(config);
  requireAxisOne("PyTorch", resolved);
  requireEstimator("PyTorch", resolved, "sample");
  const { parameters, statistics } = resolveState(resolved, state);
  const channels = statistics.movingMean.length;
  const affine = resolved.center || resolved.scale;
  const { gamma, beta } = filledParameters(parameters, channels);
  return {
    module: {
      num_features: channels,
      eps: resolved.epsilon,
      momentum: complement(resolved.momentum),
      affine,
      track_running_stats: true,
    },
    stateDict: {
      ...(affine ? { weight: gamma, bias: beta } : {}),
      running_mean: statistics.movingMean,
      running_var: statistics.movingVariance,
    },
  };
}

/**
 * 1 - m, as the decimal number that a person would have written: 0.1 <-> 0.9, where plain subtraction turns 0.9 into
 * 0.09999999999999998. Rounded to 15 places after the point, not to 15 digits: the error of the subtraction is below 2^-53
 * whatever the size of the difference, and 1 - 0.9999 has only 12 good digits. Any m of at most 15 places comes back exactly.
 */
function complement(momentum: number): number {
  return Number((1 - momentum).toFixed(15));
}

function checkModule(module: PyTorchModule, momentum: unknown, affine: unknown): void {
  requireKeys("invalid-argument", "The PyTorch module", { ...module }, ["num_features"]);
  const { num_features: channels, track_running_stats: tracks = MODULE_DEFAULTS.track_running_stats } = module;
  if (!Number.isSafeInteger(channels) || channels < 1) {
    throw new BatchNormError("invalid-argument", "num_features is wrong", channels, "a positive integer");
  }
  for (const [name, value] of [
    ["affine", affine],
    ["track_running_stats", tracks],
  ] as const) {
    if (typeof value !== "boolean") throw new BatchNormError("invalid-argument", `${name} is not a boolean`, value, "true or false");
  }
  if (!tracks) {
    throw new BatchNormError(
      "cannot-convert",
      "Without track_running_stats, PyTorch normalizes with the batch even in eval",
      tracks,
      "track_running_stats true, since inference here uses the moving statistics",
    );
  }
  if (momentum === null) {
    throw new BatchNormError(
      "cannot-convert",
      "PyTorch's momentum null is a cumulative average over all batches",
      momentum,
      "a number, since the moving average here is exponential",
    );
  }
  if (typeof momentum !== "number" || !(momentum >= 0 && momentum <= 1)) {
    throw new BatchNormError(
      "invalid-momentum",
      "PyTorch's momentum is out of range",
      momentum,
      "a number in [0, 1], the weight of the new value",
    );
  }
}

function checkStateDict(channels: number, affine: boolean, stateDict: PyTorchStateDict): void {
  rejectUnknownKeys("invalid-state", "The state_dict", stateDict as unknown, STATE_KEYS);
  requireKeys("invalid-state", "The state_dict", { ...stateDict }, STATISTIC_KEYS);
  for (const name of ["weight", "bias"] as const) {
    const present = (stateDict[name] ?? null) !== null;
    if (affine && !present)
      throw new BatchNormError("missing-parameter", `${name} is missing`, null, "one number per channel, since affine is on");
    if (!affine && present) throw new BatchNormError("unexpected-parameter", `${name} is present`, name, `no ${name}, since affine is off`);
  }
  const length = stateDict.running_mean?.length;
  if (length !== channels)
    throw new BatchNormError("wrong-length", "running_mean has the wrong length", length, `${channels}, the num_features`);
}
