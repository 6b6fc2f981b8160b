import { describe, expect, it } from "vitest";
import { Waiting } from "../src/waiting.ts";

const mask = { clause: "9.1", traits: ["training", "mask", "rank 2"] };
const other = { clause: "9.1", traits: ["training", "rank 2"] };

describe("the time for a check", () => {
  it("is halved by every time-out, down to a tenth", () => {
    const waiting = new Waiting(1000);
    const limits = [1, 2, 3, 4, 5].map(() => {
      const { limit } = waiting;
      waiting.timedOut(mask);
      return limit;
    });
    expect(limits).toEqual([1000, 500, 250, 125, 100]);
  });

  it("is never less than ten times what the slowest answer took, nor more than was asked for", () => {
    const waiting = new Waiting(1000);
    waiting.answered(other, 30);
    waiting.answered(other, 20);
    for (let k = 0; k < 5; k++) waiting.timedOut(mask);
    expect(waiting.limit).toBe(300);
    waiting.answered(other, 400);
    expect(waiting.limit).toBe(1000);
  });

  it("stays what it is where the backend ends", () => {
    const waiting = new Waiting(1000);
    waiting.lost(mask);
    expect(waiting.limit).toBe(1000);
  });
});

describe("a check that is given up", () => {
  it("has what three lost checks of its clause have in common", () => {
    const waiting = new Waiting(1000);
    waiting.lost({ ...mask, traits: ["mask", "rank 2"] });
    waiting.lost({ ...mask, traits: ["mask", "rank 3"] });
    expect(waiting.givenUp({ ...mask, traits: ["mask", "rank 4"] })).toBeNull();
    waiting.lost({ ...mask, traits: ["mask", "rank 3"] });
    expect(waiting.givenUp({ ...mask, traits: ["mask", "rank 4"] })).toBe("checks like it of clause 9.1 had no answer");
    expect(waiting.givenUp({ ...mask, traits: ["rank 2"] })).toBeNull();
    expect(waiting.givenUp({ clause: "9.2", traits: ["mask", "rank 4"] })).toBeNull();
  });

  it("is none where one like it was answered", () => {
    const waiting = new Waiting(1000);
    for (let k = 0; k < 3; k++) waiting.lost(mask);
    waiting.answered(other, 1);
    expect(waiting.givenUp(mask)).not.toBeNull();
    waiting.answered(mask, 1);
    expect(waiting.givenUp(mask)).toBeNull();
  });

  it("is any of the clause where they have nothing in common", () => {
    const waiting = new Waiting(1000);
    for (let k = 0; k < 3; k++) waiting.lost({ clause: "14.1" });
    expect(waiting.givenUp({ clause: "14.1" })).toBe("checks of clause 14.1 had no answer");
    waiting.answered({ clause: "14.1" }, 1);
    expect(waiting.givenUp({ clause: "14.1" })).toBeNull();
  });
});
