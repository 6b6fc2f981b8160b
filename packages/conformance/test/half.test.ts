import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from "@batchnorm/spec/half";
import { describe, expect, it } from "vitest";
import { withLastRounding } from "../src/accuracy/last-rounding.ts";
import { hostTensor, numbersOf } from "../src/checks/host-numbers.ts";
import { bitsOf, nearest, widened } from "../src/vectors/half.ts";
import { readVectors } from "../src/vectors/read.ts";

const OF_THE_SPEC = { float16: [fromFloat16, toFloat16], bfloat16: [fromBfloat16, toBfloat16] } as const;
const EVERY = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);

describe.each(["float16", "bfloat16"] as const)("%s", (dtype) => {
  const [from, to] = OF_THE_SPEC[dtype];

  it("is what the spec's own conversion says, for all bits, and back", () => {
    const numbers = widened(EVERY, dtype);
    expect(numbers).toEqual(Float32Array.from(EVERY, from));
    const finite = EVERY.filter((bits) => !Number.isNaN(from(bits)));
    expect(bitsOf(widened(finite, dtype), dtype)).toEqual(finite);
    expect(from(bitsOf([Number.NaN], dtype)[0])).toBeNaN();
  });

  it("rounds to the nearest, ties to even, as the spec's own conversion does", () => {
    const wrong: number[] = [];
    const positive = EVERY.filter((bits) => bits < 2 ** 15 && Number.isFinite(from(bits)));
    for (const bits of positive) {
      const [low, high] = [from(bits), Number.isFinite(from(bits + 1)) ? from(bits + 1) : 2 * from(bits) - from(bits - 1)];
      for (const share of [0, 0.25, 0.5 - 2 ** -20, 0.5, 0.5 + 2 ** -20, 0.75]) {
        const value = low + (high - low) * share;
        for (const each of [value, -value]) if (!Object.is(nearest(each, dtype), from(to(each)))) wrong.push(each);
      }
    }
    expect(wrong).toEqual([]);
    expect(nearest(Number.NEGATIVE_INFINITY, dtype)).toBe(Number.NEGATIVE_INFINITY);
    expect(nearest(Number.NaN, dtype)).toBeNaN();
  });

  it("is refused as bits where a number is none of its", () => {
    expect(() => bitsOf([1.0001], dtype)).toThrow(`1.0001 is no ${dtype}`);
  });

  it("is known by the dtype beside its bits, and by nothing else", () => {
    const numbers = Float32Array.of(1.5, -2);
    const tensor = hostTensor(numbers, [2], dtype);
    expect(numbersOf(tensor)).toEqual(numbers);
    expect(numbersOf(tensor, "float32")).toBeNull();
    expect(numbersOf({ data: tensor.data, shape: [2] })).toBeNull();
  });
});

describe("the last rounding (clause 12.8)", () => {
  const accuracy = { accumulation: "float64", subnormals: "preserved" } as const;
  const bound = (truth: number, error: number, dtype: "float16" | "bfloat16", subnormals: "preserved" | "flushed" = "preserved"): number =>
    withLastRounding(Float64Array.of(error), Float64Array.of(truth), dtype, { ...accuracy, subnormals })[0];

  it.each([
    [1, 0, "float16", 2 ** -11],
    [-1, 0, "bfloat16", 2 ** -8],
    // What is rounded may lie in the next binade, where neighbours are twice as far apart.
    [1.99999, 1e-4, "float16", 1e-4 + 2 ** -10],
    [3e-7, 0, "float16", 2 ** -25],
    [0, 0, "float16", 2 ** -25],
    [0, 0, "bfloat16", 2 ** -134],
    [65519, 0, "float16", 16],
  ] as const)("of %f, with a bound of %f before, in %s leaves %f", (truth, error, dtype, expected) => {
    expect(bound(truth, error, dtype)).toBe(expected);
  });

  it("may flush what is subnormal in the dtype, where the manifest says so", () => {
    expect(bound(6e-5, 0, "float16", "flushed")).toBe(2 ** -14);
    expect(bound(7e-5, 0, "float16", "flushed")).toBe(2 ** -25);
    expect(bound(6e-5, 0, "bfloat16", "flushed")).toBe(bound(6e-5, 0, "bfloat16"));
  });

  it("leaves the bounds of float32 as they are", () => {
    const bounds = Float64Array.of(1, 2);
    expect(withLastRounding(bounds, Float64Array.of(3, 4), undefined, accuracy)).toBe(bounds);
  });
});

describe("the golden vectors of half precision", () => {
  it("hold numbers of their dtype, and Keras rounds as the clause says where the result is exact", async () => {
    const { cases } = await readVectors();
    const halves = cases.filter(({ id }) => id.startsWith("half/"));
    for (const { id, steps } of halves) {
      for (const { dtype, x, dy, results } of steps) {
        expect([id, dtype]).toEqual([id, id.startsWith("half/float16") ? "float16" : "bfloat16"]);
        for (const array of [x, dy, ...Object.values(results).flatMap(({ y, dx }) => [y, dx])]) {
          if (array !== null) expect(() => bitsOf(array, dtype!)).not.toThrow();
        }
      }
    }
    for (const dtype of ["float16", "bfloat16"] as const) {
      const { state, steps } = halves.find(({ id }) => id === `half/${dtype}-ties`)!;
      const expected = Float32Array.from(state.parameters.beta!, (each) => nearest(each, dtype));
      for (const { y } of Object.values(steps[0].results)) expect(y).toEqual(Float32Array.of(...expected, ...expected));
    }
  });
});
