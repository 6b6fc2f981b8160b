import type { Supports } from "@batchnorm/spec";
import * as v from "valibot";
import { manifestFaults } from "../checks/manifest.ts";
import { OUTPUTS } from "../vectors/format.ts";
import { MATRIX_SCHEMA, type Matrix } from "./format.ts";
import { cellKey } from "./merge.ts";

/** Where a value is not what format.ts says of it. */
export interface MatrixFault {
  /** Such as `cells[3].result.passed`. */
  readonly path: string;
  readonly received: unknown;
  /** In words. */
  readonly expected: string;
}

/** What is wrong with a value that shall be a matrix; of many faults the first ones. */
export function matrixFaults(value: unknown): MatrixFault[] {
  const parsed = v.safeParse(MATRIX, value);
  if (parsed.success) return contradictions(parsed.output);
  return parsed.issues.map((issue) => ({
    path: v.getDotPath(issue)?.replaceAll(/\.(\d+)(?=\.|$)/g, "[$1]") ?? "its root",
    received: issue.input,
    expected: issue.message,
  }));
}

const text = v.pipe(v.string("a text"), v.nonEmpty("a text that is not empty"));
const count = v.pipe(v.number("a whole number"), v.integer("a whole number"), v.minValue(0, "a whole number of at least 0"));
// Not `finite`: a miss may be a NaN, and what is not finite comes as a number here.
const number = v.custom<number>((each) => typeof each === "number", 'a number, or "NaN", "Infinity" or "-Infinity"');
const milliseconds = v.pipe(v.number("milliseconds"), v.minValue(0, "milliseconds of at least 0"));
const time = v.pipe(v.string("a time in ISO 8601"), v.isoTimestamp("a time in ISO 8601"));
const texts = v.array(text, "a list of texts");
const counts = v.array(count, "a list of whole numbers");
const flag = v.boolean("true or false");
const output = v.picklist(OUTPUTS, `one of ${OUTPUTS.join(", ")}`);
const noText = v.string("a text");

const worst = strict({ output, step: count, index: count, share: number, ulp: number });
const reference = strict({ framework: text, ...worst.entries });
const failure = strict({
  message: text,
  output: v.exactOptional(output),
  step: v.exactOptional(count),
  position: v.exactOptional(counts),
  expected: v.exactOptional(number),
  got: v.exactOptional(number),
  bound: v.exactOptional(number),
  ulp: v.exactOptional(number),
  share: v.exactOptional(number),
  stack: v.exactOptional(noText),
});
const extreme = { share: number, ulp: number, check: text };
const status = { passed: count, failed: count, skipped: count, xfailed: count, notRun: count };
const layers = strict({ failed: count, of: count });

const RESULT = strict({
  supports: v.nullable(
    v.custom<Supports>(
      (each) => manifestFaults({ name: "any", supports: each as never }).length === 0,
      "a manifest as clause 18.2 has it, or null",
    ),
  ),
  ...status,
  duration: milliseconds,
  clauses: list(
    strict({
      clause: text,
      ...status,
      duration: milliseconds,
      worst: v.nullable(strict(extreme)),
      reference: v.nullable(strict({ ...extreme, framework: text })),
      timesReference: v.nullable(strict({ times: number, check: text })),
    }),
  ),
  cases: list(
    strict({
      id: text,
      kind: v.picklist(["vector", "contract", "property"], "vector, contract or property"),
      clause: text,
      status: v.picklist(["failed", "xfailed", "not-run"], "failed, xfailed or not-run"),
      reason: v.exactOptional(text),
      worst: v.nullable(worst),
      reference: v.nullable(reference),
      timesReference: v.exactOptional(number),
      failures: list(failure),
      failureCount: count,
      duration: milliseconds,
      lost: v.exactOptional(v.picklist(["timed out", "crashed"], "timed out or crashed")),
      traits: v.exactOptional(texts),
      trials: v.exactOptional(strict({ failed: counts, skipped: counts })),
    }),
  ),
  skips: list(strict({ reason: text, checks: texts })),
  causes: list(strict({ traits: texts, failed: count, of: count, others: layers, checks: texts })),
  problems: texts,
});

const RUN = strict({ only: v.nullable(text), checks: texts, quick: flag, selected: count, timeout: milliseconds });

const CELL = v.variant(
  "status",
  [
    strict({ backend: text, runtime: text, status: v.literal("ran"), run: RUN, result: RESULT }),
    strict({ backend: text, runtime: text, status: v.literal("not-run"), reason: text }),
  ],
  "ran or not-run",
);

const RUNTIME = strict({
  id: text,
  name: text,
  version: v.nullable(text),
  platform: v.nullable(text),
  status: v.picklist(["ran", "not-run"], "ran or not-run"),
  reason: v.exactOptional(text),
  howToGet: text,
});

const MATRIX: v.GenericSchema<unknown, Matrix> = strict({
  schema: v.literal(MATRIX_SCHEMA),
  suite: strict({
    specVersion: v.literal(1, "1"),
    version: text,
    vectors: strict({ count, sha256: v.pipe(v.string("a SHA-256"), v.regex(/^[0-9a-f]{64}$/, "64 hexadecimal digits")) }),
    checks: count,
    seed: count,
    runs: count,
  }),
  started: time,
  duration: milliseconds,
  runtimes: list(RUNTIME),
  cells: list(CELL),
  problems: texts,
});

function strict<const Entries extends v.ObjectEntries>(entries: Entries): v.StrictObjectSchema<Entries, string> {
  return v.strictObject(entries, `an object with ${Object.keys(entries).join(", ")}, and nothing else`);
}

function list<const Item extends v.GenericSchema>(item: Item): v.ArraySchema<Item, string> {
  return v.array(item, "a list");
}

/** What no single field shows. */
function contradictions({ runtimes, cells }: Matrix): MatrixFault[] {
  const ids = runtimes.map(({ id }) => id);
  const keys = cells.map(cellKey);
  return [
    ...runtimes.flatMap(({ id, status, reason }, k): MatrixFault[] => {
      if (ids.indexOf(id) !== k) return [{ path: `runtimes[${k}].id`, received: id, expected: "every runtime once" }];
      if ((status === "not-run") === (reason !== undefined)) return [];
      return [{ path: `runtimes[${k}].reason`, received: reason, expected: "a reason exactly where the runtime was not run" }];
    }),
    ...cells.flatMap((cell, k): MatrixFault[] => {
      const at = (path: string, received: unknown, expected: string): MatrixFault[] => [{ path: `cells[${k}]${path}`, received, expected }];
      const runtime = runtimes.find(({ id }) => id === cell.runtime);
      if (keys.indexOf(keys[k]) !== k) return at("", keys[k], "every backend once on a runtime");
      if (runtime === undefined) return at(".runtime", cell.runtime, "the id of one of the runtimes");
      if (cell.status === "not-run") return [];
      if (runtime.status === "not-run") return at(".status", cell.status, "not-run, as its runtime was not run");
      const { clauses, cases, skips, ...total } = cell.result;
      for (const name of ["passed", "failed", "skipped", "xfailed", "notRun"] as const) {
        const sum = clauses.reduce((all, clause) => all + clause[name], 0);
        if (sum !== total[name]) return at(`.result.${name}`, total[name], `${sum}, the sum over its clauses`);
      }
      const listed = cases.length;
      const bad = total.failed + total.xfailed + total.notRun;
      if (listed !== bad) return at(".result.cases", `${listed} of them`, `${bad}, as many as did not pass`);
      const skipped = skips.reduce((all, { checks }) => all + checks.length, 0);
      return skipped === total.skipped ? [] : at(".result.skips", `${skipped} checks`, `${total.skipped}, as many as were skipped`);
    }),
  ];
}
