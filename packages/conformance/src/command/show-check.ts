import { styleText } from "node:util";
import { type BatchNormConfig, maskShape } from "@batchnorm/spec";
import { unitInLastPlace } from "../accuracy/compare.ts";
import type { Check } from "../checks/check.ts";
import { unravel } from "../checks/measure.ts";
import { CLAUSES } from "../clauses.generated.ts";
import type { BackendResult, CaseResult } from "../report.ts";
import { indent, table } from "../reporters/table.ts";
import type { Case, Step } from "../vectors/case.ts";
import { OUTPUTS, type OutputName } from "../vectors/format.ts";

/** More numbers than these of one tensor are not shown. */
const MOST_NUMBERS = 64;
const MOST_ROWS = 24;

/** The result of a check on one backend. */
interface Shown {
  readonly backend: string;
  readonly result: CaseResult;
}

/** What a check is about, for a person: its clause, and where it has one its case, with what every backend gave beside what was expected. */
export function showCheck(check: Check, results: readonly BackendResult[]): string {
  const shown = results.flatMap(({ backend, cases }): Shown[] => {
    const result = cases.find(({ id }) => id === check.id);
    return result === undefined ? [] : [{ backend, result }];
  });
  const lines = [
    styleText("bold", check.id),
    `clause ${check.clause}, ${CLAUSES[check.clause] ?? ""}`,
    ...(check.must === undefined ? [] : [check.must]),
    ...(check.case === undefined ? [] : showCase(check.case, shown)),
  ];
  return `${lines.join("\n")}\n`;
}

function showCase(each: Case, shown: readonly Shown[]): string[] {
  const { config, state, steps } = each;
  const { gamma, beta } = state.parameters;
  const { movingMean, movingVariance } = state.statistics;
  const arrays = { gamma, beta, movingMean, movingVariance };
  return [
    "",
    `${styleText("dim", "config")}  ${showConfig(config)}`,
    `${styleText("dim", "state")}   made with`,
    ...indent(table(Object.entries(arrays).map(([name, values]) => [name, numbers(values)])), 2),
    ...steps.flatMap((step, index) => showStep(each, step, index, shown)),
  ];
}

function showConfig(config: BatchNormConfig): string {
  const fields = Object.entries(config).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return `{ ${fields.join(", ")} }`;
}

function showStep({ config, reference }: Case, step: Step, index: number, shown: readonly Shown[]): string[] {
  const { shape, x, mask, dy, parameters, training, trainable } = step;
  const inputs = [["x", `[${shape.join(", ")}]`, numbers(x)]];
  if (mask !== null) inputs.push(["mask", `[${maskShape(shape, config.axis).join(", ")}]`, numbers(mask)]);
  if (dy !== null) inputs.push(["dy", `[${shape.join(", ")}]`, numbers(dy)]);
  for (const name of ["gamma", "beta"] as const) {
    const values = parameters?.[name];
    if (values) inputs.push([name, "set before", numbers(values)]);
  }
  const outputs = OUTPUTS.filter((name) => step.truth[name] !== null);
  return [
    "",
    `${styleText("dim", `step ${index}`)}  training: ${training}, trainable: ${trainable}`,
    ...indent(table(inputs), 2),
    ...outputs.flatMap((name) => ["", ...indent(showOutput(step, index, name, reference, shown), 2)]),
  ];
}

/** An element a row: expected, what the reference framework gave, and what each backend gave, with its error. */
function showOutput(step: Step, index: number, name: OutputName, reference: string | null, shown: readonly Shown[]): string[] {
  const truth = step.truth[name]!;
  const shape = name === "y" || name === "dx" ? step.shape : [truth.length];
  const framework = reference === null ? undefined : step.results[reference]?.[name];
  const given = shown.map(({ backend, result }) => ({
    backend,
    values: result.outputs?.[index]?.[name] ?? null,
    failures: result.failures,
  }));
  const head = [name, "expected", ...(framework ? [reference!] : []), ...given.flatMap(({ backend }) => [backend, "error"])];
  const row = (element: number): string[] => [
    `[${unravel(element, shape)}]`,
    short(truth[element], 12),
    ...(framework ? [short(framework[element])] : []),
    ...given.flatMap(({ values, failures }) => {
      if (values === null) return ["none", ""];
      const position = String(unravel(element, shape));
      const failed = failures.find((each) => each.output === name && each.step === index && String(each.position) === position);
      const error = `${ulpBetween(values[element], truth[element])} ULP`;
      return [
        short(values[element]),
        failed === undefined ? error : styleText("red", `✗ ${error}, ${short(failed.share!, 3)} times the bound`),
      ];
    }),
  ];
  const rows = Array.from({ length: Math.min(truth.length, MOST_ROWS) }, (_, element) => row(element));
  const [first, ...others] = table([head, ...rows]);
  const more = truth.length > MOST_ROWS ? [`and ${truth.length - MOST_ROWS} more elements`] : [];
  return [styleText("dim", first), ...others, ...more];
}

function ulpBetween(got: number, expected: number): string {
  const error = Object.is(got, expected) ? 0 : Math.abs(got - expected) / unitInLastPlace(expected);
  return short(error, 3);
}

function numbers(values: ArrayLike<number> | null): string {
  if (values === null) return "none";
  const shown = Array.from({ length: Math.min(values.length, MOST_NUMBERS) }, (_, k) => short(values[k]));
  return `[${shown.join(", ")}${values.length > MOST_NUMBERS ? `, ... ${values.length} in all` : ""}]`;
}

/** With the digits that tell a float32 from its neighbours. */
function short(value: number, digits: number = 9): string {
  return Object.is(value, -0) ? "-0" : String(Number(value.toPrecision(digits)));
}
