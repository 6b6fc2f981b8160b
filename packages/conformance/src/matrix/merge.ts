import { BatchNormError } from "@batchnorm/spec";
import type { Matrix, MatrixCell, MatrixRuntime } from "./format.ts";

/**
 * One matrix of several: of the shards of a run, or of runs on several machines. What one of them could not run and another could counts
 * as run. The order of the parts does not matter, but for that of `problems`.
 *
 * @throws BatchNormError `invalid-argument` for no matrix at all, for parts of different suites, for a runtime in two versions, and for a
 * cell that was run twice: nobody could say which of the two results holds.
 */
export function mergeMatrices(parts: readonly Matrix[]): Matrix {
  if (parts.length === 0) throw new BatchNormError("invalid-argument", "There is nothing to merge", parts, "one matrix or more");
  const [{ schema, suite }] = parts;
  for (const part of parts) expectSameSuite(part, parts[0]);
  const runtimes = mergeAll(
    parts.flatMap((part) => part.runtimes),
    ({ id }) => id,
    mergeRuntimes,
  );
  const cells = mergeAll(
    parts.flatMap((part) => part.cells),
    cellKey,
    mergeCells,
  );
  const order = runtimes.sort(compareRuntimes).map(({ id }) => id);
  return {
    schema,
    suite,
    started: parts.map(({ started }) => started).sort()[0],
    duration: Math.round(parts.reduce((sum, { duration }) => sum + duration, 0)),
    runtimes,
    cells: cells.sort((a, b) => order.indexOf(a.runtime) - order.indexOf(b.runtime) || compareText(a.backend, b.backend)),
    problems: [...new Set(parts.flatMap(({ problems }) => problems))],
  };
}

/** A cell's place, as a text: no two cells of a matrix have the same. */
export function cellKey({ backend, runtime }: Pick<MatrixCell, "backend" | "runtime">): string {
  return `${backend} on ${runtime}`;
}

/** The families in the order in which they are shown; others come after them. */
const FAMILIES = ["node", "deno", "bun", "chromium", "firefox"];

function compareRuntimes(a: MatrixRuntime, b: MatrixRuntime): number {
  return familyOf(a) - familyOf(b) || compareText(a.id, b.id);
}

function familyOf({ id }: MatrixRuntime): number {
  const index = FAMILIES.indexOf(id.split("-")[0]);
  return index < 0 ? FAMILIES.length : index;
}

function compareText(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

function mergeAll<Each>(all: readonly Each[], keyOf: (each: Each) => string, merge: (a: Each, b: Each) => Each): Each[] {
  const found = new Map<string, Each>();
  for (const each of all) {
    const other = found.get(keyOf(each));
    found.set(keyOf(each), other === undefined ? each : merge(other, each));
  }
  return [...found.values()];
}

function mergeRuntimes(a: MatrixRuntime, b: MatrixRuntime): MatrixRuntime {
  if (a.status === "not-run" || b.status === "not-run") return a.status === "not-run" ? b : a;
  expectSame(`The parts ran ${a.name} in two versions`, `${b.version} (${b.platform})`, `${a.version} (${a.platform})`);
  return a;
}

function mergeCells(a: MatrixCell, b: MatrixCell): MatrixCell {
  if (a.status === "not-run" || b.status === "not-run") return a.status === "not-run" ? b : a;
  throw new BatchNormError("invalid-argument", `Two parts ran ${cellKey(a)}`, cellKey(b), "every cell in one part only");
}

function expectSameSuite(part: Matrix, first: Matrix): void {
  const describe = ({ schema, suite }: Matrix): [name: string, value: string | number][] => [
    ["schemas", schema],
    ["versions of the contract", suite.specVersion],
    ["versions of the suite", suite.version],
    ["golden vectors", suite.vectors.sha256],
    ["numbers of checks", suite.checks],
    ["seeds", suite.seed],
    ["random cases of a property", suite.runs],
  ];
  const expected = new Map(describe(first));
  for (const [name, value] of describe(part)) expectSame(`The parts have different ${name}`, value, expected.get(name)!);
}

function expectSame(what: string, received: string | number, expected: string | number): void {
  if (received !== expected) throw new BatchNormError("invalid-argument", what, received, String(expected));
}
