import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { describe, expect, it } from "vitest";
import { caseBounds } from "../src/accuracy/bounds.ts";
import { compare } from "../src/accuracy/compare.ts";
import { type Accuracy, sumRoundings } from "../src/accuracy/constants.ts";
import type { Case, Outputs } from "../src/vectors/case.ts";
import { OUTPUTS, type OutputName } from "../src/vectors/format.ts";
import { readVectors } from "../src/vectors/read.ts";
import { type Layer, withTruth } from "./exact.ts";
import { honestOutputs, type Liberties } from "./honest.ts";

const MANIFESTS: readonly Accuracy[] = (["float64", "float32"] as const).flatMap((accumulation) =>
  (["preserved", "flushed"] as const).map((subnormals) => ({ accumulation, subnormals })),
);

/** Draws cases and liberties; the same seed draws the same ones. */
class Dice {
  readonly #source;

  constructor(seed: number) {
    this.#source = xoroshiro128plus(seed);
  }

  /** Uniform in [0, 1). */
  number(): number {
    return uniformFloat64(this.#source);
  }

  one<Value>(of: readonly Value[]): Value {
    return of[Math.floor(this.number() * of.length)];
  }

  liberties({ accumulation, subnormals }: Accuracy): Liberties {
    return {
      accumulation,
      flush: subnormals === "flushed",
      order: this.one(["forward", "backward", "pairwise", "strided"]),
      block: this.one([128, 128, 64, 16, 7, 2]),
      shift: this.one(["first", "last", "largest"]),
      corrected: accumulation === "float32" || this.number() < 0.5,
      variance: this.one(["second pass", "one shifted pass"]),
      affine: this.one(["folded", "centred"]),
      inverseRootOff: this.one([-2, -1, 0, 1, 2]),
      reciprocal: this.number() < 0.5,
    };
  }

  /** One channel, up to three batches: every scale from the subnormals to 1e10, offsets up to 1e6 deviations. */
  layer(): Layer {
    const rows = this.number() < 0.01 ? 4099 : this.one([1, 2, 3, 4, 5, 7, 8, 16, 31, 64, 127, 131, 257]);
    const spread = this.one([1, 1, 1, 1e-3, 1e-10, 1e-18, 2 ** -126, 2 ** -140, 1e5, 1e10]);
    const offset = spread * this.one([0, 0, 1, -30, 1e3, 1e4, 1e6]);
    const pattern = this.one([
      () => this.number() * 2 - 1,
      () => this.one([1.1, -0.7]),
      (row: number) => (row === rows - 1 ? 7.3 : 0.31),
      (row: number) => (row === 0 ? 7.3 : -0.31),
      // Far outside, at one end or in the middle: what a shift must not be.
      (row: number) => (row === 0 ? 1e4 : this.number()),
      (row: number) => (row === rows >> 1 ? 1e6 : (row % 10) / 10),
      () => 0.77,
    ]);
    const gradientScale = this.one([1, 1, 1e-20, 2 ** -130, 1e3, 1e10]);
    return {
      config: {
        epsilon: this.one([1e-3, 1e-5, 1e-7, 0.1, 1, 1e-12, 2 ** -126]),
        momentum: this.one([0, 1, 0.99, 0.9, 0.1, 0.5, this.number()]),
        varianceEstimator: this.one(["population", "sample"]),
      },
      gamma: [this.one([1, 1, -1.7, 0, 1e-20, 1e-40, 1e5]) * (0.5 + this.number())],
      beta: [this.one([0, 1, -3, 100, 1e-40]) * this.number()],
      movingMean: [offset + spread * (this.number() - 0.5)],
      movingVariance: [spread ** 2 * this.one([0, 1e-3, 0.1, 1 + this.number()])],
      batches: Array.from({ length: this.one([1, 1, 3]) }, () => ({
        x: Array.from({ length: rows }, (_, row) => offset + spread * pattern(row)),
        ...(this.number() < 0.3 && { mask: Array.from({ length: rows }, () => Number(this.number() < 0.7)) }),
        ...(this.number() < 0.6 && { dy: Array.from({ length: rows }, () => gradientScale * (this.number() * 2 - 0.5)) }),
        training: this.number() < 0.75,
      })),
    };
  }
}

/** The largest share of the bound that any element of any step takes, by output. */
function shares(each: Case, outputs: readonly Outputs[], accuracy: Accuracy): Map<OutputName, number> {
  const bounds = caseBounds(each, accuracy);
  const found = new Map<OutputName, number>();
  each.steps.forEach(({ truth }, step) => {
    for (const name of OUTPUTS) {
      const [expected, bound, got] = [truth[name], bounds[step][name], outputs[step][name]];
      if (expected === null || bound === null || got === null) continue;
      const share = compare(name, step, got, expected, bound).worst?.share ?? 0;
      found.set(name, Math.max(found.get(name) ?? 0, share));
    }
  });
  return found;
}

/** Clause 12.7 asks for accuracy as long as nothing overflows float32. */
function overflows(each: Case, outputs: readonly Outputs[]): boolean {
  const beyond = (value: number): boolean => !(Math.abs(value) < 1e37);
  const inTruth = each.steps.some(({ truth }) => OUTPUTS.some((name) => truth[name]?.some(beyond)));
  return inTruth || outputs.some((step) => OUTPUTS.some((name) => step[name]?.some(beyond)));
}

describe.each(MANIFESTS)("with $accumulation accumulation and subnormals $subnormals", (accuracy) => {
  it("every honest implementation lies within the bounds, and some come close to them", () => {
    const dice = new Dice(accuracy.accumulation === "float32" ? 1 : 2);
    const worst = new Map<OutputName, number>();
    let counted = 0;
    for (let run = 0; run < 6000; run++) {
      const each = withTruth(dice.layer());
      const liberties = dice.liberties(accuracy);
      const outputs = honestOutputs(each, liberties);
      if (overflows(each, outputs)) continue;
      counted++;
      for (const [name, share] of shares(each, outputs, accuracy)) {
        if (!(share <= 1)) expect.fail(`${name} takes ${share} of its bound: ${JSON.stringify({ liberties, each })}`);
        worst.set(name, Math.max(worst.get(name) ?? 0, share));
      }
    }
    expect(counted).toBeGreaterThan(4000);
    // A bound that nobody comes near would let too much pass.
    for (const name of OUTPUTS) expect([name, worst.get(name)! > 0.15]).toEqual([name, true]);
  });

  it("no bound of a golden vector is NaN or infinite where the truth is finite", async () => {
    const { cases } = await readVectors();
    const vague: string[] = [];
    for (const each of cases) {
      caseBounds(each, accuracy).forEach((bounds, step) => {
        for (const name of OUTPUTS) {
          const truth = each.steps[step].truth[name];
          expect([each.id, name, bounds[name]?.length]).toEqual([each.id, name, truth?.length]);
          truth?.forEach((value, index) => {
            const bound = bounds[name]![index];
            if (Number.isFinite(value) && !(bound >= 0 && Number.isFinite(bound)))
              vague.push(`${each.id} ${step} ${name}[${index}]: ${bound}`);
          });
        }
      });
    }
    expect(vague).toEqual([]);
  });
});

it("blocks of at most 128 terms, full or not, take no more roundings than a float32 sum may", () => {
  const roundings = (n: number, block: number): number => (n <= block ? n - 1 : block - 1 + roundings(Math.ceil(n / block), block));
  const accuracy: Accuracy = { accumulation: "float32", subnormals: "preserved" };
  for (const block of [2, 3, 7, 16, 64, 100, 127, 128]) {
    for (let n = 1; n < 3e6; n += 1 + (n >> 6)) expect(roundings(n, block)).toBeLessThanOrEqual(sumRoundings(n, accuracy));
  }
  for (const n of [129, 128 ** 2 + 1, 128 ** 3 + 1]) expect(roundings(n, 128)).toBeLessThanOrEqual(sumRoundings(n, accuracy));
  expect(sumRoundings(4096, accuracy)).toBeLessThan(220);
  expect(sumRoundings(4096, { ...accuracy, accumulation: "float64" })).toBe(4096);
});

describe("what is wrong lies outside the bounds", () => {
  const accuracy: Accuracy = { accumulation: "float32", subnormals: "preserved" };
  const liberties: Liberties = {
    ...new Dice(1).liberties(accuracy),
    inverseRootOff: 0,
    variance: "one shifted pass",
    order: "forward",
    block: 128,
    shift: "first",
    corrected: true,
  };
  const uniform = (rows: number, offset: number): number[] => {
    const dice = new Dice(7);
    return Array.from({ length: rows }, () => offset + dice.number() * 2 - 1);
  };
  const plain = (x: readonly number[], config: Layer["config"] = { momentum: 0 }): Case =>
    withTruth({
      config,
      gamma: [1.5],
      beta: [0.25],
      movingMean: [0.5],
      movingVariance: [2],
      batches: [{ x, dy: uniform(x.length, 0.25) }],
    });
  /** The honest outputs of one step, with some of them replaced. */
  const tampered = (each: Case, change: (honest: Outputs) => Partial<Record<OutputName, number>>, against: Accuracy = accuracy) => {
    const [honest] = honestOutputs(each, { ...liberties, accumulation: against.accumulation });
    const wrong = Object.fromEntries(
      Object.entries(change(honest)).map(([name, value]) => [name, honest[name as OutputName]!.map(() => value)]),
    );
    return shares(each, [{ ...honest, ...wrong }], against);
  };

  it.each([
    { accumulation: "float32", offset: 1e4 },
    { accumulation: "float64", offset: 1e6 },
  ] as const)("E[x^2] - E[x]^2 with $accumulation sums at an offset of $offset", ({ accumulation, offset }) => {
    const x = Float32Array.from(uniform(64, offset));
    const round = accumulation === "float32" ? Math.fround : (value: number): number => value;
    const mean = round(x.reduce((total, value) => round(total + value), 0) / x.length);
    const squares = round(x.reduce((total, value) => round(total + round(value * value)), 0) / x.length);
    const found = tampered(plain([...x]), () => ({ movingVariance: round(squares - round(mean * mean)) }), { ...accuracy, accumulation });
    expect(found.get("movingVariance")).toBeGreaterThan(10);
  });

  it("a mean from naive float32 sums of x at an offset of 1e4", () => {
    const x = Float32Array.from(uniform(1000, 1e4));
    const found = tampered(plain([...x]), () => ({ movingMean: x.reduce((total, value) => Math.fround(total + value), 0) / x.length }));
    expect(found.get("movingMean")).toBeGreaterThan(2);
  });

  /** Of one sign and size, so that a plain sum of the squares, or of dy, rounds in one direction from some point on. */
  const drifting = (rows: number): Case => {
    const x = Array.from({ length: rows }, (_, row) => (row % 2 === 0 ? 0.125 - 1.44 : 0.125 + 1.44));
    const dy = (scale: number): number[] => x.map((value) => (scale === 0 ? 0.513 : Math.sign(value) * scale));
    const layer = { config: { momentum: 0 }, gamma: [1.5], beta: [0.25], movingMean: [0.5], movingVariance: [2] };
    return withTruth({ ...layer, batches: [0, 0.974].map((scale) => ({ x, dy: dy(scale) })) });
  };

  it.each([4096, 16_384, 65_536])("plain float32 sums of %d terms, and not sums of blocks", (rows) => {
    const each = drifting(rows);
    const plainly = shares(each, honestOutputs(each, { ...liberties, block: null }), accuracy);
    for (const name of ["movingVariance", "dbeta", "dgamma"] as const) expect([name, plainly.get(name)! > 1]).toEqual([name, true]);
    for (const block of [128, 64, 16, 2]) {
      const blocked = shares(each, honestOutputs(each, { ...liberties, block }), accuracy);
      for (const name of OUTPUTS) expect([name, block, blocked.get(name)! < 1]).toEqual([name, block, true]);
    }
  });

  it.each([
    { shift: "first", at: 0 },
    { shift: "largest", at: 8192 },
  ] as const)("a float32 mean by a single shift, the $shift element, that lies far outside", ({ shift, at }) => {
    const each = plain(Array.from({ length: 16_384 }, (_, row) => (row === at ? 1e4 : (row % 10) / 10)));
    const once = shares(each, honestOutputs(each, { ...liberties, shift, corrected: false }), accuracy);
    const twice = shares(each, honestOutputs(each, { ...liberties, shift }), accuracy);
    expect(once.get("movingMean")).toBeGreaterThan(2);
    expect(twice.get("movingMean")).toBeLessThan(1);
  });

  it("the sample variance for n = 8, and for n = 257", () => {
    for (const rows of [8, 257]) {
      const found = tampered(plain(uniform(rows, 0)), ({ movingVariance }) => ({
        movingVariance: (movingVariance![0] * rows) / (rows - 1),
      }));
      expect(found.get("movingVariance")).toBeGreaterThan(2);
    }
  });

  it("the moving statistics of a momentum that is off by 1e-6", () => {
    const each = plain(uniform(8, 0), { momentum: 0.9 });
    const [off] = honestOutputs({ ...each, config: { ...each.config, momentum: 0.9 - 1e-6 } }, liberties);
    expect(shares(each, [off], { ...accuracy, accumulation: "float64" }).get("movingMean")).toBeGreaterThan(1);
  });

  it("an inverse root that is off by 16 units in the last place", () => {
    const each = plain(uniform(8, 0));
    const off = honestOutputs(each, { ...liberties, inverseRootOff: 16 as never, accumulation: "float64" });
    expect(shares(each, off, { ...accuracy, accumulation: "float64" }).get("y")).toBeGreaterThan(1);
  });

  it("another epsilon, if only by a thousandth of it", () => {
    const each = plain(uniform(8, 0), { momentum: 0, epsilon: 1e-3 });
    const [off] = honestOutputs({ ...each, config: { ...each.config, epsilon: 1.001e-3 } }, liberties);
    expect(shares(each, [off], { ...accuracy, accumulation: "float64" }).get("y")).toBeGreaterThan(1);
  });

  it("a gradient that leaves the statistics out, and one that divides by n - 1", () => {
    const each = plain(uniform(8, 0));
    const [{ dx, ...honest }] = honestOutputs(each, liberties);
    const truth = each.steps[0].truth;
    const slope = 1.5 / Math.sqrt(each.steps[0].batch!.variance[0] + 1e-3);
    const direct = Float32Array.from(each.steps[0].dy!, (value) => slope * value);
    const through = direct.map((value, k) => value - (value - truth.dx![k]) * (8 / 7));
    for (const wrong of [direct, through]) expect(shares(each, [{ dx: wrong, ...honest }], accuracy).get("dx")).toBeGreaterThan(100);
    expect(shares(each, [{ dx, ...honest }], accuracy).get("dx")).toBeLessThan(1);
  });

  it("a subnormal that was flushed by a backend that says it does not", () => {
    const tiny = withTruth({
      config: { epsilon: 1 },
      gamma: [1],
      beta: [0],
      movingMean: [0],
      movingVariance: [1],
      batches: [{ x: [2 ** -130, 2 ** -128], training: false }],
    });
    const flushed = honestOutputs(tiny, { ...liberties, flush: true });
    expect(shares(tiny, flushed, accuracy).get("y")).toBeGreaterThan(100);
    expect(shares(tiny, flushed, { ...accuracy, subnormals: "flushed" }).get("y")).toBeLessThanOrEqual(1);
  });
});
