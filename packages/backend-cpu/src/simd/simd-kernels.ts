import type { ChannelView } from "@batchnorm/spec";
import type { Saved } from "../kernels/backward.ts";
import type { Kernels } from "../kernels/kernels.ts";
import { countVisible } from "../kernels/moments.ts";
import { type NonFiniteElement, nonFiniteAt } from "../kernels/non-finite.ts";
import type { Normalizer } from "../kernels/normalizer.ts";
import { PLAIN } from "../kernels/plain.ts";
import { type Constants, foldGradient, foldNormalization, foldScale, newConstants } from "./constants.ts";
import { gridOf } from "./grid.ts";
import { LAYOUT } from "./module.generated.ts";
import { finishMoments, firstElements } from "./one-pass.ts";
import { sweep } from "./sweep.ts";
import type { TensorMemory } from "./tensor-memory.ts";
import { windowOf } from "./windows.ts";

interface Folded {
  readonly constants: Constants;
  /** Of the normalizer, when this was derived from it. */
  revision: number;
  fits: boolean;
}

/** The kernels of assembly/, in SIMD WebAssembly. Where float32 cannot hold a tensor's constants, the plain kernels do it. */
export class SimdKernels implements Kernels {
  readonly #memory: TensorMemory;
  /** Scratch by number of channels. */
  readonly #constants = new Map<number, Constants>();
  /** What normalizers were folded to. It goes when they go. */
  readonly #folded = new WeakMap<Normalizer, Folded>();

  constructor(memory: TensorMemory) {
    this.#memory = memory;
  }

  normalize(x: Float32Array, y: Float32Array, view: ChannelView, normalizer: Normalizer): void {
    const folded = this.#fold(normalizer);
    if (folded.fits) this.#affine(x, y, view, folded.constants);
    else PLAIN.normalize(x, y, view, normalizer);
  }

  moments(x: Float32Array, view: ChannelView, mask: Uint8Array | null, mean: Float64Array, variance: Float64Array): number {
    const n = mask === null ? view.outer * view.inner : countVisible(mask);
    const constants = this.#constantsOf(view);
    const grid = gridOf(view, mask !== null);
    const memory = this.#memory.find(x);
    const pass = (): boolean => {
      mean.fill(0);
      variance.fill(0);
      sweep(memory, { work: "moments", grid, x, dy: null, out: null, mask, constants, sums: { first: mean, second: variance } });
      return finishMoments(n, constants.origin, mean, variance);
    };
    firstElements(x, view, mask, constants.origin);
    if (!pass()) {
      constants.origin.set(mean);
      pass();
    }
    return n;
  }

  parameterGradients(dy: Float32Array, saved: Saved, view: ChannelView, dgamma: Float64Array, dbeta: Float64Array): void {
    const { x, normalizer } = saved;
    const { mean, inverseDeviation } = normalizer;
    const constants = this.#constantsOf(view);
    constants.origin.set(mean);
    dgamma.fill(0);
    dbeta.fill(0);
    const sums = { first: dbeta, second: dgamma };
    sweep(this.#memory.find(x, dy), { work: "projections", grid: gridOf(view, false), x, dy, out: null, mask: null, constants, sums });
    for (let c = 0; c < dgamma.length; c++) dgamma[c] *= inverseDeviation[c];
  }

  inputGradient(dy: Float32Array, dx: Float32Array, saved: Saved, view: ChannelView, dgamma: Float64Array, dbeta: Float64Array): void {
    const { x, normalizer, batch } = saved;
    const constants = this.#constantsOf(view);
    if (batch === null && foldScale(constants, normalizer)) {
      this.#affine(dy, dx, view, constants);
    } else if (batch !== null && foldGradient(constants, batch.n, normalizer, dgamma, dbeta)) {
      const { mask } = batch;
      const grid = gridOf(view, mask !== null);
      sweep(this.#memory.find(x, dy, dx), { work: "gradient", grid, x, dy, out: dx, mask, constants, sums: null });
    } else {
      PLAIN.inputGradient(dy, dx, saved, view, dgamma, dbeta);
    }
  }

  findNonFinite(x: Float32Array, view: ChannelView): NonFiniteElement | null {
    const memory = this.#memory.find(x);
    if (memory.holds(x)) {
      const found = memory.kernels.findNonFinite(x.byteOffset, x.length);
      return found < 0 ? null : nonFiniteAt(x, view, found);
    }
    for (let start = 0; start < x.length; start += memory.tile) {
      const length = Math.min(memory.tile, x.length - start);
      memory.tileX.set(windowOf(x, start, length));
      const found = memory.kernels.findNonFinite(LAYOUT.TILE_X, length);
      if (found >= 0) return nonFiniteAt(x, view, start + found);
    }
    return null;
  }

  #affine(x: Float32Array, y: Float32Array, view: ChannelView, constants: Constants): void {
    const grid = gridOf(view, false);
    sweep(this.#memory.find(x, y), { work: "normalize", grid, x, dy: null, out: y, mask: null, constants, sums: null });
  }

  #fold(normalizer: Normalizer): Folded {
    let folded = this.#folded.get(normalizer);
    if (folded === undefined) {
      folded = { constants: newConstants(normalizer.mean.length), revision: -1, fits: false };
      this.#folded.set(normalizer, folded);
    }
    if (folded.revision !== normalizer.revision) {
      folded.fits = foldNormalization(folded.constants, normalizer);
      folded.revision = normalizer.revision;
    }
    return folded;
  }

  #constantsOf({ channels }: ChannelView): Constants {
    let constants = this.#constants.get(channels);
    if (constants === undefined) {
      constants = newConstants(channels);
      this.#constants.set(channels, constants);
    }
    return constants;
  }
}
