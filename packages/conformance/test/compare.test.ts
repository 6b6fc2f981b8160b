import { describe, expect, it } from "vitest";
import { compare, timesReference, unitInLastPlace, worse } from "../src/accuracy/compare.ts";

const [NaN_, INF] = [Number.NaN, Number.POSITIVE_INFINITY];

function share(got: number, expected: number, bound = 1): number {
  return compare("y", 0, Float32Array.of(got), Float64Array.of(expected), Float64Array.of(bound)).worst!.share;
}

describe("compare", () => {
  it.each([
    [NaN_, NaN_],
    [INF, INF],
    [-INF, -INF],
    [0, -0],
    [-0, 0],
    [2 ** -149, 2 ** -149],
    [1, 1],
  ])("%d is %d, whatever the bound", (got, expected) => {
    for (const bound of [0, 1, INF, NaN_]) expect(share(got, expected, bound)).toBe(0);
  });

  it.each([
    [NaN_, INF],
    [INF, NaN_],
    [NaN_, 0],
    [0, NaN_],
    [INF, -INF],
    [-INF, INF],
    [INF, 3e38],
    [3e38, INF],
    [NaN_, 1],
  ])("%d is never %d, whatever the bound", (got, expected) => {
    for (const bound of [0, 1, 1e300, INF, NaN_]) {
      const { worst, misses } = compare("y", 0, Float32Array.of(got), Float64Array.of(expected), Float64Array.of(bound));
      expect(worst?.share).toBe(INF);
      expect(misses).toHaveLength(1);
    }
  });

  it("takes an infinity for a number that no float32 holds, and for one that is within its bound of that", () => {
    expect(share(INF, 1e40, 1e35)).toBe(0);
    expect(share(-INF, -1e40, 1e35)).toBe(0);
    expect(share(INF, 3.4e38, 1e37)).toBe(0);
    expect(share(INF, 3.3e38, 1e36)).toBe(INF);
    expect(share(-INF, 1e40, 1e35)).toBe(INF);
    expect(share(3.4e38, 1e40, 1e35)).toBeGreaterThan(1e4);
    expect(share(NaN_, 1e40, 1e35)).toBe(INF);
  });

  it("takes an error of the whole bound, and nothing beyond it", () => {
    const at = (got: number) => compare("y", 0, Float64Array.of(got), Float64Array.of(1), Float64Array.of(2 ** -20));
    expect(at(1 + 2 ** -20)).toMatchObject({ worst: { share: 1 }, misses: [] });
    expect(at(1 + 2 ** -20 + 2 ** -50).misses).toHaveLength(1);
    expect(at(1 - 2 ** -21).worst?.share).toBe(0.5);
  });

  it("does not pass for a bound that says nothing", () => {
    for (const bound of [NaN_, INF]) expect(share(1.5, 1, bound)).toBe(INF);
    expect(share(1.5, 1, 0)).toBe(INF);
  });

  it("tells a subnormal from zero", () => {
    expect(share(0, 2 ** -149, 2 ** -150)).toBe(2);
    expect(share(2 ** -149, 0, 2 ** -149)).toBe(1);
  });

  it("misses what is absent", () => {
    const { misses } = compare("dx", 2, new Float32Array(1), Float64Array.of(0, 5), Float64Array.of(1, 1));
    expect(misses).toEqual([{ output: "dx", step: 2, index: 1, share: INF, ulp: INF, expected: 5, got: undefined, bound: 1 }]);
  });

  it("finds the worst of many, and every miss", () => {
    const got = Float64Array.of(1, 2.5, 3, 4.75);
    const { worst, misses } = compare("dx", 3, got, Float64Array.of(1, 2, 3, 4), new Float64Array(4).fill(0.25));
    expect(worst).toMatchObject({ output: "dx", step: 3, index: 3, share: 3 });
    expect(misses.map(({ index, expected, got }) => [index, expected, got])).toEqual([
      [1, 2, 2.5],
      [3, 4, 4.75],
    ]);
  });

  it("has no worst of nothing", () => {
    expect(compare("y", 0, new Float32Array(0), new Float64Array(0), new Float64Array(0))).toEqual({ worst: null, misses: [], missed: 0 });
  });
});

describe("unitInLastPlace", () => {
  it.each([
    [1, 2 ** -23],
    [-1, 2 ** -23],
    [1.999, 2 ** -23],
    [2, 2 ** -22],
    [0.75, 2 ** -24],
    [1e4, 2 ** -10],
    [2 ** 127, 2 ** 104],
    [2 ** -126, 2 ** -149],
    [2 ** -130, 2 ** -149],
    [2 ** -149, 2 ** -149],
    [0, 2 ** -149],
    [-0, 2 ** -149],
    [2 ** -200, 2 ** -149],
  ])("of %d is %d", (value, expected) => {
    expect(unitInLastPlace(value)).toBe(expected);
  });

  it("is the distance to the next float32, on both sides of every power of two", () => {
    const next = (value: number): number => {
      const bits = new Int32Array(Float32Array.of(value).buffer);
      bits[0]++;
      return new Float32Array(bits.buffer)[0];
    };
    const below = (value: number): number => {
      const bits = new Int32Array(Float32Array.of(value).buffer);
      bits[0]--;
      return new Float32Array(bits.buffer)[0];
    };
    for (let exponent = -149; exponent < 127; exponent++) {
      const power = 2 ** exponent;
      expect(unitInLastPlace(power)).toBe(next(power) - power);
      expect(unitInLastPlace(below(power))).toBe(power - below(power));
    }
  });
});

it("worse keeps the larger share, and the larger distance of either", () => {
  const at = (share: number, ulp: number) => ({ output: "y", step: 0, index: 0, share, ulp }) as const;
  expect(worse(null, null)).toBeNull();
  expect(worse(null, at(1, 2))).toEqual(at(1, 2));
  expect(worse(at(1, 2), null)).toEqual(at(1, 2));
  expect(worse(at(0.5, 9), at(1, 2))).toEqual(at(1, 9));
  expect(worse(at(1, 2), at(0.5, 9))).toEqual(at(1, 9));
});

describe("timesReference", () => {
  const ulp = 2 ** -22;

  it("is the larger error by the larger one of the reference", () => {
    const truth = Float64Array.of(2, 3);
    expect(timesReference([2 + 6 * ulp, 3], [2, 3 - 4 * ulp], truth)).toBe(1.5);
  });

  it("counts a reference that is closer than a unit in the last place as that far off", () => {
    expect(timesReference([2 + 3 * ulp], [2], Float64Array.of(2))).toBe(3);
    // The unit is that of the largest number.
    expect(timesReference([2 ** -10 + ulp, 2], [2 ** -10, 2], Float64Array.of(2 ** -10, 2))).toBe(1);
  });

  it("leaves out what is not finite", () => {
    expect(timesReference([NaN_, INF, 2], [NaN_, INF, 2], Float64Array.of(NaN_, INF, 2))).toBe(0);
    expect(timesReference([1, 2], [INF, 2], Float64Array.of(5, 2))).toBe(0);
  });
});
