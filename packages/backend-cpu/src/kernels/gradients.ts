import type { ChannelView } from "@batchnorm/spec";
import { gradientPlain } from "../plain/gradient.ts";
import { normalizePlain } from "../plain/normalize.ts";
import { projectionsPlain } from "../plain/sums.ts";
import { sweepGradient, sweepNormalize, sweepProjections } from "../simd/sweep.ts";
import { checkData, checkMaskData, type Engine, memoryFor } from "./engine.ts";
import { foldGradient, foldNormalization } from "./float32.ts";
import type { Normalizer } from "./normalizer.ts";

/** What the batch's own statistics were taken from, where they normalized: the gradient flows through them, too. */
export interface BatchElements {
  /** How many elements of each channel entered them. */
  readonly n: number;
  /** `[outer, inner]`, 0 hides an element; null for none. */
  readonly mask: Uint8Array | null;
}

/**
 * dbeta = sum(dy) and dgamma = sum(dy * xHat), `[channels]`, over all elements, masked ones included: the output at masked
 * places depends on gamma and beta like any other (clause 10.3). xHat = (x - mean) / sqrt(variance + epsilon). Sums are float64.
 *
 * @throws BatchNormError `data-length`.
 */
export function parameterGradients(
  engine: Engine,
  dy: Float32Array,
  x: Float32Array,
  view: ChannelView,
  { mean, inverseDeviation }: Normalizer,
  dgamma: Float64Array,
  dbeta: Float64Array,
): void {
  checkData("dy", dy, view);
  checkData("x", x, view);
  const memory = memoryFor(engine, x.length);
  if (memory === null) projectionsPlain(dy, x, view, mean, dbeta, dgamma);
  else sweepProjections(memory, dy, x, view, { origin: mean, first: dbeta, second: dgamma });
  for (let c = 0; c < view.channels; c++) dgamma[c] *= inverseDeviation[c];
}

/**
 * The gradient of x, from the sums above. Past moving statistics (`batch` null, clause 10.2):
 *
 *     dx = gamma * inverseDeviation * dy
 *
 * and through the batch's (clause 10.1), where only visible elements entered them:
 *
 *     dx = gamma * inverseDeviation * (dy - visible * (dbeta + xHat * dgamma) / n)
 *
 * Source: Ioffe and Szegedy 2015, section 3, with d(mean) and d(variance) substituted. dx may be dy itself.
 *
 * @throws BatchNormError `data-length`.
 */
export function inputGradient(
  engine: Engine,
  dy: Float32Array,
  x: Float32Array,
  dx: Float32Array,
  view: ChannelView,
  normalizer: Normalizer,
  batch: BatchElements | null,
  dgamma: Float64Array,
  dbeta: Float64Array,
): void {
  checkData("dy", dy, view);
  checkData("dx", dx, view);
  if (batch === null) {
    scaleGradient(engine, dy, dx, view, normalizer);
    return;
  }
  checkData("x", x, view);
  checkMaskData(batch.mask, view);
  const { channels } = view;
  const { mean, inverseDeviation, slope } = normalizer;
  const { pull, offset, float32 } = engine.scratch.arrays(channels);
  // dx = dy * slope - ((x - mean) * pull + offset)
  for (let c = 0; c < channels; c++) {
    pull[c] = (slope[c] * inverseDeviation[c] * dgamma[c]) / batch.n;
    offset[c] = (slope[c] * dbeta[c]) / batch.n;
  }
  const memory = memoryFor(engine, x.length);
  if (memory !== null && foldGradient(float32, channels, mean, slope, pull, offset)) {
    sweepGradient(memory, dy, x, dx, view, batch.mask, float32);
  } else {
    gradientPlain(dy, x, dx, view, batch.mask, mean, slope, pull, offset);
  }
}

/** dx = dy * slope, as (dy - 0) * slope + 0. */
function scaleGradient(engine: Engine, dy: Float32Array, dx: Float32Array, view: ChannelView, { slope }: Normalizer): void {
  const { zeros, float32 } = engine.scratch.arrays(view.channels);
  const memory = memoryFor(engine, dy.length);
  if (memory !== null && foldNormalization(float32, view.channels, zeros, slope, zeros)) sweepNormalize(memory, dy, dx, view, float32);
  else normalizePlain(dy, dx, view, zeros, slope, zeros);
}
