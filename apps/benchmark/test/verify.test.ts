import { describe, expect, it } from "vitest";
import { makeCompetitors } from "../src/competitors/index.ts";
import { ARRAYS } from "../src/names.ts";
import { LAYOUTS, makeTask, WORKS } from "../src/tasks.ts";
import { verifier } from "../src/verify.ts";

const competitors = await makeCompetitors({});

describe("every competitor", () => {
  for (const work of WORKS) {
    for (const layout of LAYOUTS) {
      it(`gives the same ${work}, ${layout}, or says that it cannot`, async () => {
        const task = makeTask(work, layout, [3, 5, 4]);
        const verify = verifier(task);
        for (const { name, prepare } of competitors) {
          const contender = await prepare(task);
          const results = (await contender?.results()) ?? null;
          if (results !== null) verify(name, results);
          await contender?.run();
          await contender?.dispose();
        }
      });
    }
  }
});

describe("a verifier", () => {
  it("refuses one wrong number, a missing element and a competitor that gives nothing", async () => {
    const task = makeTask("forward + backward", "channels last", [3, 5, 4]);
    const verify = verifier(task);
    const own = competitors.find(({ name }) => name === ARRAYS);
    const results = await (await own?.prepare(task))?.results();
    for (const output of ["y", "movingMean", "movingVariance", "dx", "dgamma", "dbeta"] as const) {
      const right = results?.[output] as Float32Array;
      const wrong = right.map((value, k) => (k === right.length - 1 ? value * 1.01 + 0.01 : value));
      expect(() => verify("wrong", { ...results, [output]: wrong })).toThrow(`wrong: ${output}[${right.length - 1}]`);
      expect(() => verify("short", { ...results, [output]: right.slice(1) })).toThrow(`short: ${output} has ${right.length - 1} elements`);
    }
    expect(() => verify("empty", {})).toThrow("nothing to verify");
  });
});
