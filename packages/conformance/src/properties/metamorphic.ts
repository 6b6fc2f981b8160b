import { sameShape } from "@batchnorm/spec";
import { type Bounds, caseBounds } from "../accuracy/bounds.ts";
import type { AnyBackend } from "../checks/check.ts";
import { executeCase } from "../checks/execute.ts";
import type { Case, Outputs } from "../vectors/case.ts";
import type { OutputName } from "../vectors/format.ts";
import type { Property } from "./property.ts";
import { buildCase, type Scenario, type StepKind } from "./scenario.ts";

const TRAIN: StepKind = { training: true, trainable: true, gradient: false };

/** No square of them leaves the normal numbers of float32, with the spread and epsilon of any scenario. */
const SCALES = [2 ** 3, 2 ** -20, 2 ** 20, 2 ** -40, 2 ** 40];

/**
 * Relations between two runs of the same backend. Exact arithmetic makes them equalities; here both sides lie within their
 * bounds of that, so they may differ by the sum of the two. The oracle only sizes the bounds.
 */
export const METAMORPHIC: readonly Property[] = [
  {
    id: "property/shift",
    clause: "12.6",
    needs: ["training"],
    holds: async (backend, scenario) => {
      // The data lies on a grid of spread / 16: adding 64 spreads keeps every bit of it.
      const original = await observe(backend, unmasked({ ...scenario, offset: 0 }), TRAIN);
      const shift = 64 * scenario.spread;
      const shifted = await observe(backend, unmasked({ ...scenario, offset: 0 }), TRAIN, (x) => x + shift);
      return (
        compareRuns("y of x + 64 deviations", "y", original, shifted) ??
        compareRuns("movingVariance of the same", "movingVariance", original, shifted)
      );
    },
  },
  {
    id: "property/scale",
    clause: "12.7",
    needs: ["training"],
    holds: async (backend, scenario) => {
      // s x with s^2 epsilon, s a power of two: every intermediate is scaled without a rounding.
      const factor = SCALES[scenario.seed % SCALES.length];
      const plain = unmasked(scenario);
      const scaled = { ...plain, config: { ...plain.config, epsilon: (plain.config.epsilon ?? 1e-3) * factor ** 2 } };
      const [a, b] = [await observe(backend, plain, TRAIN), await observe(backend, scaled, TRAIN, (x) => x * factor)];
      return compareRuns(`y of ${factor} x with ${factor ** 2} epsilon`, "y", a, b);
    },
  },
  {
    id: "property/batch-permutation",
    clause: "6.2",
    needs: ["training"],
    holds: async (backend, scenario) => {
      const plain = unmasked(scenario);
      const axis = plain.axis < 0 ? plain.axis + plain.shape.length : plain.axis;
      const row = plain.shape.slice(1).reduce((product, dimension) => product * dimension, 1);
      if (axis === 0) return null; // the first axis is no batch axis here
      const reversed = (k: number): number => (plain.shape[0] - 1 - Math.floor(k / row)) * row + (k % row);
      const a = await observe(backend, plain, TRAIN);
      const b = await observe(backend, plain, TRAIN, (_, k, x) => x[reversed(k)]);
      return (
        compareRuns("y of the rows in reverse", "y", a, b, reversed) ??
        compareRuns("movingMean of the same", "movingMean", a, b) ??
        compareRuns("movingVariance of the same", "movingVariance", a, b)
      );
    },
  },
  {
    id: "property/merged-moments",
    clause: "7.1",
    needs: ["training"],
    holds: async (backend, scenario) => {
      // Momentum 0 leaves the batch's own mean and variance: those of two halves, merged by count, are those of the whole.
      const whole = unmasked({
        ...scenario,
        axis: -1,
        shape: [scenario.shape[0] * 2, ...scenario.shape.slice(1)],
        config: { ...scenario.config, momentum: 0, varianceEstimator: "population" },
      });
      const half = { ...whole, shape: scenario.shape };
      const length = half.shape.reduce((product, dimension) => product * dimension, 1);
      const data = buildCase("", "", whole, [TRAIN]).steps[0].x;
      const all = await observe(backend, whole, TRAIN);
      const first = await observe(backend, half, TRAIN, (_, k) => data[k]);
      const second = await observe(backend, half, TRAIN, (_, k) => data[k + length]);
      return mergedMoments(all, first, second);
    },
  },
  {
    id: "property/frozen-is-inference",
    clause: "4.2",
    needs: [],
    holds: async (backend, scenario) => {
      const frozen = await observe(backend, scenario, { training: true, trainable: false, gradient: false });
      const inference = await observe(backend, scenario, { training: false, trainable: true, gradient: false });
      const differs = frozen.outputs.y!.findIndex((value, k) => !Object.is(value, inference.outputs.y![k]));
      return differs < 0 ? null : `a frozen layer gave ${frozen.outputs.y![differs]}, inference ${inference.outputs.y![differs]}.`;
    },
  },
  {
    id: "property/gradient-is-centred",
    clause: "10.1",
    needs: ["training", "gradients"],
    holds: async (backend, scenario) => {
      // A shift of a channel's data changes nothing, so the gradient along it is zero.
      const run = await observe(backend, unmasked(scenario), { ...TRAIN, gradient: true });
      const { shape, config } = { shape: scenario.shape, config: run.case.config };
      const channels = shape.at(config.axis)!;
      const inner = shape
        .slice((config.axis < 0 ? config.axis + shape.length : config.axis) + 1)
        .reduce((product, dimension) => product * dimension, 1);
      const [sums, bounds] = [new Float64Array(channels), new Float64Array(channels)];
      run.outputs.dx!.forEach((value, k) => {
        const c = Math.floor(k / inner) % channels;
        sums[c] += value;
        bounds[c] += run.bounds.dx![k];
      });
      const c = sums.findIndex((sum, index) => !(Math.abs(sum) <= bounds[index]));
      return c < 0 ? null : `the sum of dx over channel ${c} is ${sums[c]}, expected 0 within ${bounds[c]}.`;
    },
  },
];

/** One step of one backend, with the bounds of its outputs. */
interface Observed {
  readonly case: Case;
  readonly outputs: Outputs;
  readonly bounds: Bounds;
}

async function observe(
  backend: AnyBackend,
  scenario: Scenario,
  kind: StepKind,
  change?: (x: number, k: number, all: Float32Array) => number,
): Promise<Observed> {
  const built = buildCase("property", "", scenario, [kind], change);
  const [executed] = await executeCase(backend, built);
  return { case: built, outputs: executed.outputs, bounds: caseBounds(built, backend.supports)[0] };
}

function unmasked(scenario: Scenario): Scenario {
  return { ...scenario, masked: false };
}

/** Whether `b[index(k)]` is `a[k]`, within both bounds. */
function compareRuns(what: string, name: OutputName, a: Observed, b: Observed, index: (k: number) => number = (k) => k): string | null {
  const [left, right] = [a.outputs[name]!, b.outputs[name]!];
  for (let k = 0; k < left.length; k++) {
    const allowed = a.bounds[name]![k] + b.bounds[name]![index(k)];
    if (!(Math.abs(left[k] - right[index(k)]) <= allowed))
      return `${what}: element ${k} is ${right[index(k)]}, expected ${left[k]} within ${allowed}.`;
  }
  return sameShape([left.length], [right.length]) ? null : `${what}: ${right.length} elements, expected ${left.length}.`;
}

/** Chan, Golub and LeVeque 1979: the moments of a union from those of its two parts of equal size. */
function mergedMoments(all: Observed, first: Observed, second: Observed): string | null {
  for (let c = 0; c < all.outputs.movingMean!.length; c++) {
    const at = (run: Observed, name: "movingMean" | "movingVariance"): number => run.outputs[name]![c];
    const slack = (name: "movingMean" | "movingVariance"): number =>
      [all, first, second].reduce((sum, run) => sum + run.bounds[name]![c], 0);
    const distance = at(first, "movingMean") - at(second, "movingMean");
    const mean = (at(first, "movingMean") + at(second, "movingMean")) / 2;
    const variance = (at(first, "movingVariance") + at(second, "movingVariance")) / 2 + (distance / 2) ** 2;
    if (!(Math.abs(mean - at(all, "movingMean")) <= slack("movingMean")))
      return `the merged mean of channel ${c} is ${mean}, that of the whole ${at(all, "movingMean")}.`;
    // The error s of the distance d of the means enters squared: (d + s)^2 - d^2.
    const allowed = slack("movingVariance") + (2 * Math.abs(distance) + slack("movingMean")) * slack("movingMean");
    if (!(Math.abs(variance - at(all, "movingVariance")) <= allowed)) {
      return `the merged variance of channel ${c} is ${variance}, that of the whole ${at(all, "movingVariance")} (within ${allowed}).`;
    }
  }
  return null;
}
