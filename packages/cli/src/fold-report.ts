import { boundFor, type FoldReport } from "@batchnorm/onnx-model";
import type { OutputDifference } from "@batchnorm/onnx-model/execute";
import type { FoldExecution } from "./fold-execution.ts";
import { counted, renderTable, short } from "./table.ts";
import { line } from "./visible.ts";

/** What was folded and what was not, what the execution showed, and what float16 cost. */
export function renderFold(report: FoldReport, execution: FoldExecution): string {
  const { folded, kept, float16 } = report;
  const parts: string[] = [];
  if (folded.length > 0) parts.push(foldedTable(report, execution));
  if (kept.length > 0) {
    parts.push(renderTable({ columns: ["kept", "code", "why"], rows: kept.map(({ layer, code, why }) => [layer, code, why]) }));
  }
  if (float16 !== null) parts.push(renderFloat16(float16));
  parts.push(renderExecution(report, execution));
  return parts.join("\n");
}

function foldedTable({ folded }: FoldReport, execution: FoldExecution): string {
  const executed = new Map("why" in execution ? [] : execution.executed.map((each) => [`${each.layer} ${each.node}`, each]));
  const rows = folded.map(({ layer, into, direction, through, copied, added, bound }) => {
    const run = executed.get(`${layer} ${into.node}`);
    return [
      layer,
      `${into.operator} ${into.node}`,
      direction,
      run === undefined ? null : run.error.toExponential(1),
      (run?.bound ?? Math.max(...boundFor(bound, 1))).toExponential(1),
      [
        ...(through.length === 0 ? [] : [`through ${through.join(", ")}`]),
        ...(copied.length === 0 ? [] : [`copied ${copied.join(", ")}`]),
        ...(added === null ? [] : [`added ${added === "Add" ? "an Add" : "a bias"}`]),
        ...(run?.input === "made-up" ? ["input made up"] : []),
      ].join("; "),
    ];
  });
  return renderTable({ columns: ["folded", "into", "direction", "error", "bound", "note"], rows });
}

function renderExecution({ folded }: FoldReport, execution: FoldExecution): string {
  if (folded.length === 0 && "why" in execution) return "Nothing was folded.\n";
  if ("why" in execution) return `Nothing was executed: ${execution.why}\nThe bounds are for inputs of at most 1 in magnitude.\n`;
  const { executed, unexecuted, outputs, float16Outputs, runtime } = execution;
  const wrong = executed.filter(({ isWithin }) => !isWithin);
  const within = executed.length - wrong.length;
  return [
    ...unexecuted.map(({ layer, code, why }) => line(`${layer}: not executed: ${code}: ${why}`)),
    ...wrong.map(({ layer, node, channel, error, bound }) =>
      line(
        `${layer}: the fold into ${node} is wrong in channel ${channel}: ${error.toExponential(1)} from the original, the bound is ${bound.toExponential(1)}.`,
      ),
    ),
    folded.length === 0
      ? "Nothing was folded.\n"
      : `Executed on ${runtime}: ${within} of ${counted(folded.length, "fold")} within bounds.\n`,
    ...(folded.length === 0 ? [] : outputs.map((each) => outputLine(each, "the original's"))),
    ...(float16Outputs ?? []).map((each) => outputLine(each, "float32's, in float16")),
  ].join("");
}

function outputLine({ output, largest, difference }: OutputDifference, whose: string): string {
  if (largest === null || difference === null) return line(`Output ${output}: not numbers.`);
  if (difference === 0) return line(`Output ${output}: equal to ${whose}.`);
  return line(`Output ${output}: ${difference.toExponential(1)} from ${whose}, whose largest magnitude is ${short(largest)}.`);
}

function renderFloat16({ converted, kept, casts, losses, refused }: NonNullable<FoldReport["float16"]>): string {
  const count = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((sum, each) => sum + each, 0);
  const nodes = `float16: ${counted(count(converted), "node")} converted, ${count(kept)} kept in float32, ${counted(casts, "Cast")} added\n`;
  const rows = losses
    .filter(({ vanished, subnormal, worst }) => vanished > 0 || subnormal > 0 || worst !== null)
    .map(({ tensor, elements, vanished, subnormal, worst }) => [
      tensor,
      elements,
      vanished,
      subnormal,
      worst === null ? null : `${short(worst.before)} -> ${short(worst.after)}`,
    ]);
  const table = rows.length === 0 ? "" : renderTable({ columns: ["tensor", "elements", "now 0", "subnormal", "moved most"], rows });
  return `${nodes}${table}${refused.map(({ node, why }) => line(`${node}: ${why}`)).join("")}`;
}
