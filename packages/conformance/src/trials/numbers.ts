import { type BatchNormConfig, type BatchNormState, sizeOf } from "@batchnorm/spec";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Takes the place of a drawn number; `k` is its offset and `c` its channel, `last` the greatest offset. */
export type Draw = (drawn: number, k: number, c: number, last: number) => number;

/** Which elements of a channel are seen: all, about two thirds, the first alone, none. */
export type MaskKind = "all" | "some" | "one" | "none";

/** In place of what is drawn, by channel. */
export interface OwnState {
  readonly gamma?: (c: number) => number;
  readonly beta?: (c: number) => number;
  readonly movingMean?: (c: number) => number;
  readonly movingVariance?: (c: number) => number;
}

/** Draws from a seed. Tensors lie on a grid, so that their sums are exact in float64. */
export class Numbers {
  readonly #source: ReturnType<typeof xoroshiro128plus>;

  constructor(seed: number) {
    // Seeds that are neighbours begin alike.
    this.#source = xoroshiro128plus(Math.imul(seed + 1, 0x9e3779b1));
    for (let skipped = 0; skipped < 16; skipped++) this.#source.next();
  }

  /** A whole number from 0 to `count` - 1. */
  upTo(count: number): number {
    return (this.#source.next() >>> 1) % count;
  }

  chance(of: number): boolean {
    return this.upTo(1024) < of * 1024;
  }

  pick<Value>(from: readonly Value[]): Value {
    return from[this.upTo(from.length)];
  }

  state({ scale, center }: BatchNormConfig, channels: number, own: OwnState = {}): BatchNormState {
    const vector = (mine: ((c: number) => number) | undefined, drawn: (c: number) => number): Float32Array =>
      Float32Array.from({ length: channels }, (_, c) => (mine ?? drawn)(c));
    return {
      parameters: {
        gamma: scale ? vector(own.gamma, () => (this.chance(0.5) ? -1 : 1) * (0.5 + this.upTo(24) / 16)) : null,
        beta: center ? vector(own.beta, () => this.upTo(64) / 16 - 2) : null,
      },
      statistics: {
        movingMean: vector(own.movingMean, (c) => offsetOf(c) + spreadOf(c) * (this.upTo(17) / 16 - 0.5)),
        movingVariance: vector(own.movingVariance, (c) => spreadOf(c) ** 2 * (0.25 + this.upTo(32) / 16)),
      },
    };
  }

  x(shape: readonly number[], axis: number, change?: Draw): Float32Array {
    return this.#tensor(shape, axis, offsetOf, (c) => spreadOf(c) / 16, change);
  }

  dy(shape: readonly number[], axis: number, change?: Draw): Float32Array {
    return this.#tensor(
      shape,
      axis,
      () => 0.5,
      () => 1 / 16,
      change,
    );
  }

  /** `[-32, 31]` times the channel's grid, about its centre. */
  #tensor(shape: readonly number[], axis: number, centre: (c: number) => number, grid: (c: number) => number, change?: Draw): Float32Array {
    const at = axis < 0 ? axis + shape.length : axis;
    const inner = sizeOf(shape.slice(at + 1));
    const [centres, grids] = [centre, grid].map((of) => Float64Array.from({ length: shape[at] }, (_, c) => of(c)));
    const values = new Float32Array(sizeOf(shape));
    for (let k = 0; k < values.length; k += inner) {
      const c = (k / inner) % shape[at];
      for (let i = k; i < k + inner; i++) {
        const drawn = centres[c] + ((this.#source.next() & 63) - 32) * grids[c];
        values[i] = change === undefined ? drawn : change(drawn, i, c, values.length - 1);
      }
    }
    return values;
  }

  mask(length: number, kind: MaskKind): Uint8Array {
    const bytes = new Uint8Array(length);
    if (kind === "all") bytes.fill(1);
    if (kind === "one") bytes[0] = 1;
    if (kind === "some") for (let position = 0; position < length; position++) bytes[position] = VISIBLE[this.upTo(VISIBLE.length)];
    // Something is seen whatever was drawn.
    if (kind === "some" && length > 0) bytes[length - 1] = 1;
    return bytes;
  }
}

/** Every byte but 0 is true (clause 9.3). */
const VISIBLE = [0, 1, 255, 0, 1, 2];

/** Channels differ in their mean and deviation, so that one taken for another is seen. */
function offsetOf(c: number): number {
  return ((c * 5) % 11) - 5;
}

function spreadOf(c: number): number {
  return 2 ** ((c % 5) - 2);
}
