import { h } from "preact";
import { renderToString } from "preact-render-to-string";
import { beforeAll, describe, expect, it } from "vitest";
import { Page } from "../page/page.tsx";
import { isOffScale, place } from "../page/scale.ts";
import { answerOf, share } from "../page/words.ts";
import { type Matrix, type RunCell, readMatrix, writeMatrix } from "../src/matrix/index.ts";
import { page } from "../src/reporters/page.ts";
import { buildPageIfStale } from "./build.ts";
import { MATRIX, STARTED } from "./matrix-fixture.ts";

/** What is shown of results, as HTML. */
const show = (...initial: readonly Matrix[]): string => renderToString(h(Page, { initial }));

/** The text between tags. */
const text = (html: string): string => html.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");

const only = (status: "good" | "bad"): Matrix => ({
  ...MATRIX,
  problems: [],
  cells: MATRIX.cells.filter(({ backend, status: each }) => each === "ran" && (backend === "right/two") === (status === "good")),
});

describe("the answer", () => {
  it("says how many backends conform, and what was not run", () => {
    expect(answerOf(MATRIX)).toEqual({
      good: false,
      headline: "1 of 2 backends conforms",
      details: ["Not run: Firefox.", ...MATRIX.problems],
    });
    expect(answerOf(only("good"))).toMatchObject({ good: true, headline: "right/two conforms" });
    expect(answerOf(only("bad"))).toMatchObject({ good: false, headline: "wrong/one does not conform" });
  });

  it("never says that a backend conforms of which not all was run", () => {
    const cells = only("good").cells.map((cell) => ({ ...cell, run: { ...(cell as RunCell).run, quick: true, selected: 3 } })) as RunCell[];
    expect(answerOf({ ...only("good"), cells })).toEqual({
      good: true,
      headline: "right/two passes what was run",
      details: ["No verdict on the whole: 3 of 5 checks were run.", "Not run: Firefox."],
    });
  });

  it("takes the whole suite on one runtime for a verdict, and says where less was run", () => {
    const [whole] = only("good").cells as RunCell[];
    const quick: RunCell = { ...whole, runtime: "firefox", run: { ...whole.run, quick: true, selected: 3 } };
    expect(answerOf({ ...only("good"), cells: [whole, quick] })).toMatchObject({
      headline: "right/two conforms",
      details: ["The whole suite was run on 1 cell; on 1 other 3 of 5 checks were run.", "Not run: Firefox."],
    });
  });

  it("says so when nothing was run", () => {
    expect(answerOf({ ...MATRIX, cells: [], problems: [] })).toEqual({ good: null, headline: "Nothing was run", details: [] });
  });
});

describe("the page", () => {
  const html = show(MATRIX);

  it("has the answer first, then the matrix, then what is wrong", () => {
    const order = [
      "1 of 2 backends conforms",
      "1 failed, 1 not run",
      "wrong/one on Node 20",
      "training/wrong",
      "All clauses",
      "How it was run",
    ];
    const places = order.map((each) => text(html).indexOf(each));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  it("leads down to the position and the values of a wrong number", () => {
    expect(text(html)).toContain("movingVariance[1] 2 2 3 4.19e+6 0.0588 17");
    expect(text(html)).toContain("y[0, 1] 2 -Infinity NaN not finite 1.00 not finite");
    expect(text(html)).toContain("and 7 more.");
    expect(text(html)).toContain("mask, with rank 3: all 4 layers of this kind fail, and none of 12 others.");
  });

  it("gives the reason of all that was not run or skipped, or deviates", () => {
    for (const reason of ["masks are not supported", "checks like it of clause 5.1 had no answer", "runtime 1.2 copies | a bug"]) {
      expect(text(html)).toContain(reason);
    }
    expect(text(html)).toContain("Not run: there is no Firefox. To get it: apt-get install firefox-esr");
  });

  it("has the error and Keras's own beside the bound, as a picture and in numbers", () => {
    expect(text(html)).toContain("5.1 The formula 0.125 0.750");
    const picture = html.slice(html.indexOf("5.1</b>"));
    expect(picture).toContain(`<circle cx="${place(0.125)}%"`);
    expect(picture).toContain(`<svg aria-hidden="true" x="${place(0.75)}%"`);
  });

  it("has no table without headers, and no picture that is read aloud", () => {
    const tables = html.match(/<table.*?<\/table>/gs) ?? [];
    expect(tables.length).toBeGreaterThan(3);
    for (const table of tables) {
      expect(table).toContain('scope="col"');
      expect(table).toContain('scope="row"');
    }
    expect(html.match(/<svg/g)).toHaveLength(html.match(/<svg aria-hidden="true"/g)!.length);
  });

  it("compares two results, the later one with the earlier", () => {
    const [right] = only("good").cells as RunCell[];
    const fixed = { ...right, backend: "wrong/one" };
    const before: Matrix = { ...MATRIX, cells: MATRIX.cells.map((cell) => (cell.backend === "wrong/one" ? fixed : cell)) };
    // What became worse: a check failed, one was not run, one was skipped, one deviates; and there is a new problem.
    expect(text(show(before, MATRIX))).toContain("5 worse");
    expect(text(show(before, MATRIX))).toContain("training/wrong passed failed");
    expect(text(show(MATRIX, before))).toContain("4 better, nothing worse");
    expect(text(show(MATRIX, MATRIX))).toContain("Nothing changed");
  });

  it("is open for a result when it has none", () => {
    expect(text(show())).toContain("No result is open");
  });
});

describe("names that are HTML", () => {
  const evil = '</script><script>alert("x")</script><img src=x onerror=alert(1)>';
  const hostile: Matrix = readMatrix(
    writeMatrix({
      ...MATRIX,
      problems: [evil],
      runtimes: MATRIX.runtimes.map((runtime) => ({ ...runtime, name: evil, howToGet: evil })),
      cells: MATRIX.cells.map((cell) => ({ ...cell, backend: `${cell.backend}${evil}` })),
    }),
  );
  beforeAll(buildPageIfStale);

  it("are text", () => {
    const html = show(hostile);
    expect(html).not.toContain("<script");
    expect(html).not.toContain("<img");
    expect(html).toContain("&lt;/script>");
  });

  it("do not leave the page's data", () => {
    const file = page([hostile, hostile]);
    expect(file).not.toContain(evil);
    expect(file.match(/<script/g)).toHaveLength(page([]).match(/<script/g)!.length);
    const [, data] = /<script id="results" type="application\/json">(.*?)<\/script>/s.exec(file)!;
    expect((JSON.parse(data) as unknown[]).map((each) => readMatrix(JSON.stringify(each)))).toEqual([hostile, hostile]);
  });
});

describe("the file", () => {
  beforeAll(buildPageIfStale);

  it("is the same for the same result, and names no other place", () => {
    const file = page([MATRIX]);
    expect(page([readMatrix(writeMatrix(MATRIX))])).toBe(file);
    expect(file).toContain(STARTED);
    const addresses = file.match(/(?:src|href)="[^"]*"|url\([^)]*\)|\bfetch\(|\bimport\(/g) ?? [];
    expect(addresses).toEqual(['href="data:,"']);
  });
});

it("places errors on a logarithmic scale, none outside of it", () => {
  const places = [0, 0.001, 0.01, 0.1, 1, 10, 1e9, Number.NaN].map(place);
  expect(places).toEqual([2, 2, 26, 50, 74, 98, 98, 98]);
  expect([1, 10, 11, Number.POSITIVE_INFINITY, Number.NaN].map(isOffScale)).toEqual([false, false, true, true, true]);
  expect([0, 0.0004, 0.48, 9.97, 44.2, 1.4e7, Number.NaN].map(share)).toEqual(["0", "4e-4", "0.480", "9.970", "44", "1.4e7", "not finite"]);
});
