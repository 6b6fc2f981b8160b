import { expect, it } from "vitest";
import { decode, encode, type Message, type Order } from "../src/isolated/messages.ts";

it("what JSON does not have reaches the other side: NaN, the infinities, BigInt and typed arrays", () => {
  const failure = { message: "NaN", expected: Number.NaN, got: Number.POSITIVE_INFINITY, bound: Number.NEGATIVE_INFINITY, ulp: 0.5 };
  const message = {
    kind: "finished",
    result: {
      id: "edge/x",
      kind: "vector",
      clause: "11.1",
      status: "failed",
      worst: { output: "y", step: 0, index: 1, share: Number.NaN, ulp: Number.NaN },
      reference: null,
      failures: [failure, { message: "big", got: 5n as unknown as number }],
      failureCount: 2,
      duration: 1,
      outputs: [{ y: Float32Array.of(1, Number.NaN), movingMean: null, movingVariance: null, dx: null, dgamma: null, dbeta: null }],
    },
  } as unknown as Message;
  expect(decode(encode(message))).toEqual(message);
});

it("an order is the same on the other side", () => {
  const order: Order = { index: 1, backends: ["a"], properties: { seed: 1, runs: 2 }, checks: ["edge/x"], outputs: true };
  expect(decode(encode(order))).toEqual(order);
});
