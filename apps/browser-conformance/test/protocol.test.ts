import { expect, it } from "vitest";
import { type Announcement, decode, encode } from "../src/protocol.ts";

it("takes NaN and the infinities from the page to Node", () => {
  const failure = { message: "NaN", expected: Number.NaN, got: Number.POSITIVE_INFINITY, bound: Number.NEGATIVE_INFINITY, ulp: 0.5 };
  const worst = { output: "y", step: 0, position: [1, 2], share: Number.NaN, error: Number.NaN };
  const announcement = {
    done: 1,
    total: 2,
    result: {
      id: "edge/x",
      kind: "vector",
      clause: "11.1",
      status: "failed",
      worst,
      reference: null,
      failures: [failure],
      failureCount: 1,
    },
  } as unknown as Announcement;
  expect(decode(encode(announcement))).toEqual(announcement);
  expect(decode(encode({ started: "edge/x" }))).toEqual({ started: "edge/x" });
});
