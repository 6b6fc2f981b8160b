import { styleText } from "node:util";
import { type BatchNormConfig, maskShape } from "@batchnorm/spec";
import { type Bounds, caseBounds } from "../accuracy/bounds.ts";
import { unitInLastPlace } from "../accuracy/compare.ts";
import type { Check } from "../checks/check.ts";
import { dtypeOf, unravel } from "../checks/measure.ts";
import { CLAUSES } from "../clauses.generated.ts";
import type { BackendResult } from "../report.ts";
import { indent, table } from "../reporters/table.ts";
import type { Case, Outputs, Step } from "../vectors/case.ts";
import { OUTPUTS, type OutputName } from "../vectors/format.ts";
import type { FloatDType } from "../vectors/half.ts";

/** More numbers than these of one tensor are not shown. */
const MOST_NUMBERS = 64;
const MOST_ROWS = 24;

/** What one backend gave. */
interface Shown {
  readonly backend: string;
  readonly outputs: readonly Outputs[];
  /** Of every step of the check's case; null where the manifest does not say. */
  readonly bounds: readonly Bounds[] | null;
}

/** What a check is about, for a person: its clause, and where it has one its case, with what every backend gave beside what was expected. */
export function showCheck(check: Check, results: readonly BackendResult[]): string {
  const shown = results.flatMap(({ backend, supports, cases }): Shown[] => {
    const result = cases.find(({ id }) => id === check.id);
    const bounds = supports === null || check.case === undefined ? null : caseBounds(check.case, supports);
    return result?.outputs === undefined ? [] : [{ backend, outputs: result.outputs, bounds }];
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
  const inputs = [["x", `[${shape.join(", ")}]${step.dtype === undefined ? "" : ` ${step.dtype}`}`, numbers(x)]];
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
  const given = shown.map(({ backend, outputs, bounds }) => ({
    backend,
    values: outputs[index][name],
    bounds: bounds?.[index][name] ?? null,
  }));
  const head = [name, "expected", ...(framework ? [reference!] : []), ...given.flatMap(({ backend }) => [backend, "error", "error/bound"])];
  const row = (element: number): string[] => [
    `[${unravel(element, shape)}]`,
    short(truth[element], 12),
    ...(framework ? [short(framework[element])] : []),
    ...given.flatMap(({ values, bounds }) =>
      values === null ? ["none", "", ""] : judged(values[element], truth[element], bounds?.[element], dtypeOf(step, name)),
    ),
  ];
  const rows = Array.from({ length: Math.min(truth.length, MOST_ROWS) }, (_, element) => row(element));
  const [first, ...others] = table([head, ...rows]);
  const more = truth.length > MOST_ROWS ? [`and ${truth.length - MOST_ROWS} more elements`] : [];
  return [styleText("dim", first), ...others, ...more];
}

/** What was given for one element, how far it is from the truth in units of the last place, and as a share of its bound. */
function judged(got: number, expected: number, bound: number | undefined, dtype: FloatDType): string[] {
  const error = Object.is(got, expected) ? 0 : Math.abs(got - expected);
  const share = bound === undefined ? Number.NaN : error === 0 ? 0 : error / bound;
  const cells = [
    short(got),
    `${(error / unitInLastPlace(expected, dtype)).toPrecision(3)} ULP`,
    Number.isNaN(share) ? "" : share.toPrecision(3),
  ];
  return share > 1 ? cells.map((cell) => styleText("red", cell)) : cells;
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
