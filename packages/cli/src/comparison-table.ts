import type { CompareResult } from "@batchnorm/onnx-model/execute";
import { renderTable, short } from "./table.ts";
import { line } from "./visible.ts";

/** Two runs beside each other: each layer and output with the largest difference, and where it is. */
export function renderComparison(title: string, { values, missing, passed }: CompareResult): string {
  const table = renderTable({
    columns: ["value", "name", "largest", "difference", "share", "at", "values"],
    rows: values.map(({ kind, name, shapes, largest, difference, worst }) => {
      if (difference === Number.POSITIVE_INFINITY && worst === null) {
        return [kind, name, short(largest), "other shape", null, null, shapes.map((shape) => `[${shape.join(", ")}]`).join(" and ")];
      }
      const share = difference === 0 ? "0" : (difference / largest).toExponential(1);
      const both = worst === null ? null : worst.values.map((value) => short(value)).join(" and ");
      return [kind, name, short(largest), difference.toExponential(1), share, worst?.index ?? null, both];
    }),
  });
  const left = missing.length === 0 ? "" : line(`only in one of the two: ${missing.join(", ")}`);
  const verdict = passed === null ? "" : `the outputs are ${passed ? "" : "not "}within the tolerance\n`;
  return `\n${title}\n\n${table}${left}${verdict}`;
}
