import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { main } from "../src/command/cli.ts";
import { REPORTERS } from "../src/command/write-report.ts";
import { type Matrix, readMatrix, writeMatrix } from "../src/matrix/index.ts";
import { buildPageIfStale } from "./build.ts";
import { MATRIX, NODE } from "./matrix-fixture.ts";
import { REPORT } from "./report.ts";

const directory = mkdtempSync(join(tmpdir(), "page-command-"));
const out = join(directory, "page.html");
const earlier = join(directory, "earlier.json");
const later = join(directory, "later.json");
const EARLIER: Matrix = { ...MATRIX, started: "2026-11-20T09:00:00.000Z" };

beforeAll(() => {
  buildPageIfStale();
  writeFileSync(earlier, writeMatrix(EARLIER));
  writeFileSync(later, writeMatrix(MATRIX));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The results in a page. */
function resultsIn(html: string): Matrix[] {
  const [, data] = /<script id="results" type="application\/json">(.*?)<\/script>/s.exec(html)!;
  return (JSON.parse(data) as unknown[]).map((each) => readMatrix(JSON.stringify(each)));
}

/** The status of the command, and what it says of a wrong use. */
async function run(...argv: readonly string[]): Promise<[status: number, said: string]> {
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    const status = await main(argv);
    return [status, write.mock.calls.map(([text]) => text).join("")];
  } finally {
    write.mockRestore();
  }
}

it("makes a page of one result, or of two in their order", async () => {
  expect(await run("page", later, "--out", out)).toEqual([0, ""]);
  expect(resultsIn(readFileSync(out, "utf8"))).toEqual([MATRIX]);
  expect(await run("page", earlier, later, "--out", out)).toEqual([0, ""]);
  expect(resultsIn(readFileSync(out, "utf8"))).toEqual([EARLIER, MATRIX]);
});

it("says what is wrong with a file that is missing, or no result", async () => {
  expect(await run("page", later)).toEqual([2, "required option '--out <file>' not specified.\n"]);
  expect(await run("page", "nowhere.json", "--out", out)).toEqual([2, expect.stringMatching(/^nowhere\.json could not be read: ENOENT/)]);
  const broken = join(directory, "broken.json");
  writeFileSync(broken, writeMatrix(MATRIX).replace('"passed": 1', '"passed": -1'));
  expect(await run("page", broken, "--out", out)).toEqual([
    2,
    expect.stringMatching(/could not be read: The matrix is wrong at cells\[0\]/),
  ]);
  expect(await run("page", later, "--out", join(directory, "nowhere/page.html"))).toEqual([2, expect.stringContaining("does not exist")]);
});

it("makes a page of a report, on the runtime that it ran on", () => {
  const [matrix] = resultsIn(REPORTERS.html(REPORT, NODE));
  expect(matrix.runtimes).toEqual([NODE]);
  expect(matrix.cells.map(({ backend }) => backend)).toEqual(["right/two", "wrong/one"]);
});
