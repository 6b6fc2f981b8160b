import { channelView, sizeOf } from "@batchnorm/spec";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/**
 * One training step with a gradient, from the state of a new layer with momentum 0: the moving statistics are the
 * batch's own.
 */
export interface AccuracyCase {
  readonly id: string;
  /** The elements of one channel. */
  readonly n: number;
  readonly shape: readonly number[];
  readonly axis: number;
  readonly x: Float32Array;
  readonly dy: Float32Array;
  readonly mask: Uint8Array | null;
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
}

/** What a case is made of; `makeCase` makes the numbers, the same ones every time. */
export interface Plan {
  readonly pattern: keyof typeof PATTERNS;
  readonly shape: readonly number[];
  readonly axis: number;
  readonly mask: "none" | "all" | "some";
}

export const EPSILON = 1e-3;

/** Element k of n of one channel. `random()` is uniform in [0, 1). */
type Pattern = (k: number, n: number, random: () => number) => number;

const bell = (random: () => number): number => 2 * (random() + random() + random()) - 3;

export const PATTERNS = {
  "bell curve": (_k, _n, random) => bell(random),
  uniform: (_k, _n, random) => random(),
  tenths: (k) => (k % 10) / 10,
  // Most sums of one of the two values round in the same direction, again and again.
  "two values": (_k, _n, random) => (random() < 0.5 ? 1.1 : -0.7),
  "nearly constant": (k, n) => (k < n - 3 ? 0.1 : 0.7),
  ramp: (k, n) => k / n,
  "offset 1000": (_k, _n, random) => 1000 + bell(random),
  rectified: (_k, _n, random) => Math.max(0, bell(random) - 0.5),
  "heavy tails": (_k, _n, random) => bell(random) / (random() + 1e-3),
  "outlier first": (k) => (k === 0 ? 1e4 : (k % 10) / 10),
  "outlier in the middle": (k, n) => (k === n >> 1 ? 1e4 : (k % 10) / 10),
  "outlier last": (k, n) => (k === n - 1 ? -1e4 : (k % 10) / 10),
} as const satisfies Record<string, Pattern>;

/** dy has something to lose in its own sums: all of one sign in the first channel, of both in the others. */
const upstream = (c: number, random: () => number): number => (c === 0 ? 0.1 + 0.01 * random() : random() - 0.5);

export const SMALL: readonly number[] = [10, 100, 1000, 4096, 4099, 16_384, 65_537];
export const LARGE: readonly number[] = [262_144, 999_983, 1_000_000];
const LARGE_PATTERNS = ["uniform", "two values", "ramp", "outlier in the middle"] as const;

/** Every pattern at every length in three layouts, with a mask and without. */
export function allPlans(): Plan[] {
  const plans: Plan[] = [];
  const add = (n: number, channels: number, patterns: readonly (keyof typeof PATTERNS)[]): void => {
    const rows = [8, 7, 5].find((divisor) => n % divisor === 0) ?? 1;
    const layouts = [
      { shape: [n, channels], axis: -1 },
      { shape: [rows, channels, n / rows], axis: 1 },
      ...(rows > 1 ? [{ shape: [n / rows, channels, rows], axis: 1 }] : []),
    ];
    for (const pattern of patterns) {
      for (const layout of layouts) for (const mask of ["none", "all", "some"] as const) plans.push({ pattern, mask, ...layout });
    }
  };
  for (const n of SMALL) add(n, n > 20_000 ? 2 : 3, Object.keys(PATTERNS) as (keyof typeof PATTERNS)[]);
  for (const n of LARGE) add(n, 1, LARGE_PATTERNS);
  return plans;
}

export function makeCase({ pattern, shape, axis, mask: masking }: Plan): AccuracyCase {
  const view = channelView(shape, axis);
  const n = view.outer * view.inner;
  const size = sizeOf(shape);
  const source = xoroshiro128plus(n + 1);
  const random = (): number => uniformFloat64(source);
  const [x, dy] = [new Float32Array(size), new Float32Array(size)];
  for (let c = 0; c < view.channels; c++) {
    for (let k = 0; k < n; k++) {
      const at = (Math.floor(k / view.inner) * view.channels + c) * view.inner + (k % view.inner);
      x[at] = PATTERNS[pattern](k, n, random);
      dy[at] = upstream(c, random);
    }
  }
  // An outlier is shown: it is what the case is about.
  const shown = (k: number): boolean => k === 0 || k === n >> 1 || k === n - 1 || random() < 0.7;
  const mask = masking === "none" ? null : Uint8Array.from({ length: n }, (_, k) => Number(masking === "all" || shown(k)));
  return {
    id: `${pattern}, [${shape.join(", ")}], axis ${axis}, mask ${masking}`,
    n,
    shape,
    axis,
    x,
    dy,
    mask,
    gamma: Float32Array.from({ length: view.channels }, () => 0.5 + random()),
    beta: Float32Array.from({ length: view.channels }, () => random() - 0.5),
  };
}
