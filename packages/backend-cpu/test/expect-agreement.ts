import { channelView } from "@batchnorm/spec";
import { expect } from "vitest";
import type { Example, Outputs } from "./numbers.ts";

/** Half the distance from 1 to the next float32, and a little for terms of second order. */
const U = 2 ** -24 * (1 + 2 ** -10);

/**
 * Holds one way of computing against another. Sums are float64 on both sides, so their float32 may differ only where the exact value lies between two. y
 * and dx differ by the roundings of their float32 arithmetic (constants.ts counts them): three of gamma xHat, and one each of beta, of
 * the result and of the other's result; and likewise for the terms of dx.
 */
export function expectAgreement(got: Outputs, expected: Outputs, example: Example, training: boolean): void {
  for (const name of ["movingMean", "movingVariance", "dgamma", "dbeta"] as const) {
    const scale = Math.max(...expected[name].map(Math.abs));
    expectEach(name, got[name], expected[name], (value) => 2 * U * Math.abs(value) + 1e-13 * scale);
  }
  const { shape, axis, x, dy, mask, state } = example;
  const { gamma, beta } = state.parameters;
  const { channels, inner, outer } = channelView(shape, axis);
  const n = mask === null ? outer * inner : mask.reduce((count, visible) => count + visible, 0);
  const moving = training ? expected : state.statistics;
  const at = (k: number) => {
    const c = Math.floor(k / inner) % channels;
    const visible = training && (mask === null || mask[Math.floor(k / (channels * inner)) * inner + (k % inner)] !== 0);
    const r = 1 / Math.sqrt(moving.movingVariance[c] + 1e-3);
    const slope = Math.abs(gamma[c] * r);
    const xHat = Math.abs(x[k] - moving.movingMean[c]) * r;
    return { c, visible, slope, xHat };
  };
  expectEach("y", got.y, expected.y, (y, k) => {
    const { c, slope } = at(k);
    return U * (3 * slope * Math.abs(x[k] - moving.movingMean[c]) + Math.abs(beta[c]) + 2 * Math.abs(y));
  });
  expectEach("dx", got.dx, expected.dx, (dx, k) => {
    const { c, visible, slope, xHat } = at(k);
    const mean = visible ? (slope * Math.abs(expected.dbeta[c])) / n : 0;
    const projection = visible ? (slope * xHat * Math.abs(expected.dgamma[c])) / n : 0;
    return U * (2 * slope * Math.abs(dy[k]) + 4 * projection + 2 * mean + 2 * Math.abs(dx));
  });
}

/** Equality of bits. */
export function expectSameBits(got: Outputs, expected: Outputs): void {
  for (const [name, values] of Object.entries(expected) as [keyof Outputs, Float32Array][]) {
    const [a, b] = [got[name], values].map((each) => new Int32Array(each.slice().buffer));
    const k = b.findIndex((bits, index) => bits !== a[index]);
    expect(k < 0 ? null : `${name}[${k}] is ${got[name][k]}, expected ${values[k]}`).toBeNull();
  }
}

function expectEach(name: string, got: Float32Array, expected: Float32Array, bound: (value: number, k: number) => number): void {
  expect(got.length).toBe(expected.length);
  const k = expected.findIndex((value, index) => !(Math.abs(got[index] - value) <= bound(value, index)));
  expect(k < 0 ? null : `${name}[${k}] is ${got[k]}, expected ${expected[k]} within ${bound(expected[k], k)}`).toBeNull();
}
