import { BatchNormError, resolveConfig, type VarianceEstimator } from "@batchnorm/spec";
import type { TfjsBatchNormalizationArgs } from "./base.ts";

/** The arguments of the layer: those of tfjs's own, and what enters the moving variance. */
export interface BatchNormalizationArgs extends TfjsBatchNormalizationArgs {
  /** Default 'population', as in Keras 3; 'sample' is what tf-keras's fused kernel does (clause 7.3). */
  varianceEstimator?: VarianceEstimator;
}

const OWN = ["axis", "momentum", "epsilon", "center", "scale", "varianceEstimator"];

/** What tfjs's own layer and its base class take. */
const INHERITED = [
  "gammaInitializer",
  "betaInitializer",
  "movingMeanInitializer",
  "movingVarianceInitializer",
  "gammaConstraint",
  "betaConstraint",
  "gammaRegularizer",
  "betaRegularizer",
  "inputShape",
  "batchInputShape",
  "batchSize",
  "dtype",
  "inputDType",
  "name",
  "trainable",
  "weights",
];

/** What Keras 3 and tf-keras write into a model.json besides, and tfjs on the way; none of it may be in force. */
const WITHOUT_EFFECT = ["synchronized", "renormClipping", "renormMomentum", "customObjects"];
const REFUSED_IF_SET = ["renorm", "virtualBatchSize", "activityRegularizer"];

/**
 * Checks the arguments, from code or from a model.json, and returns those that the constructor of tfjs's layer takes. An unknown
 * one is refused: a misspelt `eps` would otherwise be an epsilon of 0.001.
 *
 * @throws BatchNormError `invalid-argument`, `invalid-axis`, `invalid-epsilon`, `invalid-momentum`; `cannot-convert` for renorm,
 * virtualBatchSize, activityRegularizer, and several axes.
 */
export function resolveArguments(args: BatchNormalizationArgs): BatchNormalizationArgs {
  const given: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(args)) {
    if (value === undefined || WITHOUT_EFFECT.includes(name)) continue;
    if (REFUSED_IF_SET.includes(name)) refuseIfSet(name, value);
    else if (OWN.includes(name) || INHERITED.includes(name)) given[name] = value;
    else throw new BatchNormError("invalid-argument", "The layer has an unknown argument", name, [...OWN, ...INHERITED].join(", "));
  }
  // tf-keras writes a list of one; Keras 3 writes a policy object where tfjs wants a name, and only for the input.
  if (Array.isArray(given.axis)) given.axis = onlyAxis(given.axis);
  if (typeof given.dtype === "object") delete given.dtype;
  // tfjs takes null for the default.
  const own = OWN.filter((name) => (given[name] ?? null) !== null).map((name) => [name, given[name]]);
  const { axis, momentum, epsilon, center, scale, varianceEstimator } = resolveConfig(Object.fromEntries(own));
  return { ...given, axis, momentum, epsilon, center, scale, varianceEstimator };
}

function refuseIfSet(name: string, value: unknown): void {
  if (value === null || value === false) return;
  throw new BatchNormError("cannot-convert", `${name} makes another layer of this one`, value, `no ${name}`);
}

function onlyAxis(axes: readonly unknown[]): unknown {
  if (axes.length !== 1) throw new BatchNormError("cannot-convert", "The layer does not normalize exactly one axis", axes, "one axis");
  return axes[0];
}
