import { describe, expect, test } from "vitest";
import { fromBfloat16, fromFloat16, halfBits, isNonFiniteHalf, toBfloat16, toFloat16 } from "../src/half.ts";

test("every float16 is its value", () => {
  const wrong: string[] = [];
  for (let bits = 0; bits < 0x10000; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = (bits & 1023) / 1024;
    // IEEE 754, 3.4: subnormal, normal, and what is no number.
    let wanted = exponent === 0 ? sign * 2 ** -14 * fraction : sign * 2 ** (exponent - 15) * (1 + fraction);
    if (exponent === 31) wanted = fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    if (!Object.is(fromFloat16(bits), wanted)) wrong.push(bits.toString(16));
  }
  expect(wrong).toEqual([]);
});

describe("rounding", () => {
  test("every pattern of 16 bits comes back, but for the payload of a NaN", () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = fromFloat16(bits);
      if (Number.isNaN(value)) expect(fromFloat16(toFloat16(value))).toBeNaN();
      else expect(toFloat16(value)).toBe(bits);
      const wide = fromBfloat16(bits);
      if (Number.isNaN(wide)) expect(fromBfloat16(toBfloat16(wide))).toBeNaN();
      else expect(toBfloat16(wide)).toBe(bits);
    }
  });

  test("a number between two neighbours goes to the nearer one, a tie to the even one", () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const [low, high] = [fromFloat16(bits), fromFloat16(bits + 1)];
      const middle = (low + high) / 2;
      expect(toFloat16(middle)).toBe(bits % 2 === 0 ? bits : bits + 1);
      expect(toFloat16(-middle)).toBe(0x8000 + (bits % 2 === 0 ? bits : bits + 1));
      // A float32 would round these onto the tie, and then away from the truth.
      expect(toFloat16(middle + (high - low) * 2 ** -30)).toBe(bits + 1);
      expect(toFloat16(middle - (high - low) * 2 ** -30)).toBe(bits);
    }
  });

  test.each([
    [65504, 0x7bff],
    [65519.999, 0x7bff],
    [65520, 0x7c00],
    [1e300, 0x7c00],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [1.0000001 * 2 ** -25, 0x0001],
    [5e-324, 0x0000],
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
  ])("%f is %i", (value, bits) => {
    expect(toFloat16(value)).toBe(bits);
  });

  test.each([
    [3.3895313892515355e38, 0x7f7f],
    [3.4e38, 0x7f80],
    [1 + 2 ** -8, 0x3f80],
    [1 + 3 * 2 ** -8, 0x3f82],
    [2 ** -133, 0x0001],
  ])("%f is %i as a bfloat16", (value, bits) => {
    expect(toBfloat16(value)).toBe(bits);
  });
});

test("what is no finite number is told from the bits", () => {
  const wrong: number[] = [];
  for (let bits = 0; bits < 65536; bits++) {
    if (isNonFiniteHalf(bits, "float16") === Number.isFinite(fromFloat16(bits))) wrong.push(bits);
    if (isNonFiniteHalf(bits, "bfloat16") === Number.isFinite(fromBfloat16(bits))) wrong.push(bits);
  }
  expect(wrong).toEqual([]);
});

test("the bits of an array are its own memory, from where it begins", () => {
  const memory = Uint16Array.of(1, 2, 3, 4);
  const bits = halfBits(memory.subarray(1, 3));
  expect(bits).toEqual(Uint16Array.of(2, 3));
  bits[0] = 9;
  expect(memory[1]).toBe(9);
});
