import type { ChannelView } from "@batchnorm/spec";
import type { Elements, TensorView } from "../memory/elements.ts";
import { gradientPlain } from "../plain/gradient.ts";
import { normalizePlain } from "../plain/normalize.ts";
import { projectionsPlain } from "../plain/sums.ts";
import { foldGradient, foldNormalization } from "../simd/float32.ts";
import { GradientSlabs } from "../simd/gradient-slabs.ts";
import { type Slab, sweepGradient, sweepNormalize, sweepProjections, wholeTensors } from "../simd/sweep.ts";
import { checkData, checkMaskData, type Engine, memoryFor } from "./engine.ts";
import type { Normalizer } from "./normalizer.ts";
import { type ScratchArrays, scratchArrays } from "./scratch.ts";

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
  dy: Elements,
  x: Elements,
  view: TensorView,
  normalizer: Normalizer,
  dgamma: Float64Array,
  dbeta: Float64Array,
): void {
  checkData("dy", dy, view);
  checkData("x", x, view);
  const memory = memoryFor(engine, x.length);
  if (memory === null) projectionsPlain(dy, x, view, normalizer.mean, dbeta, dgamma);
  else sweepProjections(wholeTensors(memory, view, x, dy, null), { origin: normalizer.mean, first: dbeta, second: dgamma });
  scaleProjections(normalizer, view, 0, view.channels, dgamma);
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
  dy: Elements,
  x: Elements,
  dx: Elements,
  view: TensorView,
  normalizer: Normalizer,
  batch: BatchElements | null,
  dgamma: Float64Array,
  dbeta: Float64Array,
): void {
  checkGradient(dy, x, dx, view, batch);
  const { channels } = view;
  const scratch = scratchArrays(engine, channels);
  const terms = termsOf(scratch, normalizer, batch, 0, channels, dgamma, dbeta);
  const memory = memoryFor(engine, dy.length);
  if (memory === null || !fold(scratch, terms, 0, channels)) plainGradient(terms, dy, x, dx, view, batch, 0, channels);
  else if (batch === null) sweepNormalize(wholeTensors(memory, view, dy, null, dx), dy, 0, channels, scratch.float32);
  else sweepGradient(wholeTensors(memory, view, x, dy, dx), 0, channels, batch.mask, scratch.float32);
}

/**
 * `parameterGradients` and `inputGradient` in one, which fetches small enough parts of x and dy once for both.
 *
 * @throws BatchNormError `data-length`.
 */
export function gradients(
  engine: Engine,
  dy: Elements,
  x: Elements,
  dx: Elements,
  view: TensorView,
  normalizer: Normalizer,
  batch: BatchElements | null,
  dgamma: Float64Array,
  dbeta: Float64Array,
): void {
  const memory = memoryFor(engine, dy.length);
  if (memory === null) {
    parameterGradients(engine, dy, x, view, normalizer, dgamma, dbeta);
    inputGradient(engine, dy, x, dx, view, normalizer, batch, dgamma, dbeta);
    return;
  }
  checkData("x", x, view);
  checkGradient(dy, x, dx, view, batch);
  const slabs = new GradientSlabs(memory, view, x, dy, dx);
  const scratch = scratchArrays(engine, view.channels);
  while (slabs.next()) {
    const { from, to } = slabs;
    sweepProjections(slabs, { origin: normalizer.mean, first: dbeta, second: dgamma });
    scaleProjections(normalizer, view, from, to, dgamma);
    slabGradient(scratch, slabs, termsOf(scratch, normalizer, batch, from, to, dgamma, dbeta), batch);
    slabs.store();
  }
}

/** dx = dy * slope - ((x - mean) * pull + offset), float64 `[channels]`; with pull null, dx = (dy - mean) * slope + offset. */
interface Terms {
  readonly mean: Float64Array;
  readonly slope: Float64Array;
  readonly pull: Float64Array | null;
  readonly offset: Float64Array;
}

/** The formulas of `inputGradient` in these terms, for channels `from` to `to`. */
function termsOf(
  { pull, offset, zeros }: ScratchArrays,
  { mean, inverseDeviation, slope }: Normalizer,
  batch: BatchElements | null,
  from: number,
  to: number,
  dgamma: Float64Array,
  dbeta: Float64Array,
): Terms {
  if (batch === null) return { mean: zeros, slope, pull: null, offset: zeros };
  for (let c = from; c < to; c++) {
    pull[c] = (slope[c] * inverseDeviation[c] * dgamma[c]) / batch.n;
    offset[c] = (slope[c] * dbeta[c]) / batch.n;
  }
  return { mean, slope, pull, offset };
}

/** Brings the terms to float32; false where it cannot hold them. */
function fold({ float32 }: ScratchArrays, { mean, slope, pull, offset }: Terms, from: number, to: number): boolean {
  if (pull === null) return foldNormalization(float32, from, to, mean, slope, offset);
  return foldGradient(float32, from, to, mean, slope, pull, offset);
}

/**
 * The gradient of one slab: in float32 SIMD, but for what float32 cannot hold the terms of. That is a channel where channels lie in
 * runs, so that no other depends on which are in its slab, and all of them otherwise.
 */
function slabGradient(scratch: ScratchArrays, slabs: GradientSlabs, terms: Terms, batch: BatchElements | null): void {
  const { from, to, base, x, dy, out, arrays } = slabs;
  if (fold(scratch, terms, from, to)) {
    sweepTerms(scratch, slabs, batch, from, to);
    return;
  }
  const { mean, slope, pull, offset } = terms;
  const rest = (numbers: Float64Array): Float64Array => numbers.subarray(base);
  const own: Terms = { mean: rest(mean), slope: rest(slope), pull: pull && rest(pull), offset: rest(offset) };
  if (slabs.grid(false).kind === "columns") {
    plainGradient(own, dy, x, out, arrays, batch, from - base, to - base);
    return;
  }
  for (let c = from; c < to; c++) {
    if (fold(scratch, terms, c, c + 1)) sweepTerms(scratch, slabs, batch, c, c + 1);
    else plainGradient(own, dy, x, out, arrays, batch, c - base, c + 1 - base);
  }
}

function sweepTerms(
  { float32 }: ScratchArrays,
  slab: Slab & { readonly dy: Elements },
  batch: BatchElements | null,
  from: number,
  to: number,
): void {
  if (batch === null) sweepNormalize(slab, slab.dy, from, to, float32);
  else sweepGradient(slab, from, to, batch.mask, float32);
}

function plainGradient(
  { mean, slope, pull, offset }: Terms,
  dy: Elements,
  x: Elements,
  dx: Elements,
  view: TensorView,
  batch: BatchElements | null,
  from: number,
  to: number,
): void {
  if (pull === null) normalizePlain(dy, dx, view, mean, slope, offset, from, to);
  else gradientPlain(dy, x, dx, view, batch?.mask ?? null, mean, slope, pull, offset, from, to);
}

/** dgamma of the sum of dy * (x - mean). A sum over no elements is 0, also where the statistics are NaN. */
function scaleProjections(
  { inverseDeviation }: Normalizer,
  { outer, inner }: ChannelView,
  from: number,
  to: number,
  dgamma: Float64Array,
): void {
  if (outer * inner === 0) return;
  for (let c = from; c < to; c++) dgamma[c] *= inverseDeviation[c];
}

function checkGradient(dy: Elements, x: Elements, dx: Elements, view: ChannelView, batch: BatchElements | null): void {
  checkData("dy", dy, view);
  checkData("dx", dx, view);
  if (batch === null) return;
  checkData("x", x, view);
  checkMaskData(batch.mask, view);
}
