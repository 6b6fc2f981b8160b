import type { Finding, InspectedLayer, InspectReport, Severity } from "@batchnorm/onnx-model";
import type { PageArrays } from "./page-arrays.ts";
import { distribution, extremes, rangeBar } from "./page-pictures.ts";
import { PAGE_STYLE } from "./page-style.ts";
import { counted, short } from "./table.ts";

/**
 * The report as one page that needs nothing else: what each layer is, its findings, and how its arrays are distributed.
 */
export function inspectPage(title: string, report: InspectReport, arrays: readonly PageArrays[]): string {
  const { model, layers, findings, lookalikes, traces } = report;
  const producer = [model.producer, model.producerVersion].filter((part) => part !== "").join(" ") || "unknown producer";
  const general = findings.filter(({ layer }) => layer === null);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(title)}</title>
<style>${PAGE_STYLE}</style></head><body>
<h1>${escaped(title)}</h1>
<p class="facts">${escaped(producer)}, opset ${model.opset}, ${counted(model.nodes, "node")}, ${counted(layers.length, "batch normalization")}</p>
<p>${countsOf(findings)}</p>
${list(general)}
${layers.length === 0 ? "" : overview(layers, findings, arrays)}
${plainList(
  "Folded away before the file was written",
  traces.map(({ node, operator, evidence, says }) => `${node} (${operator}), by its ${evidence}: ${says}`),
)}
${plainList(
  "Looks like one and is none",
  lookalikes.map(({ code, nodes }) => `${code}: ${nodes.join(", ")}`),
)}
${layers.length === 0 ? "" : "<h2>Layer by layer</h2>"}
${layers.map((layer, k) => section(layer, k, findings, arrays[k])).join("\n")}
</body></html>
`;
}

/** `1 error, 2 warnings, 3 notes` */
function countsOf(findings: readonly Finding[]): string {
  const counts = (["error", "warning", "note"] as const).map((severity) => ({ severity, count: of(findings, severity).length }));
  const some = counts.filter(({ count }) => count > 0);
  if (some.length === 0) return "No findings.";
  return some.map(({ severity, count }) => `<span class="${severity}"><b>${counted(count, severity)}</b></span>`).join(", ");
}

function of(findings: readonly Finding[], severity: Severity): readonly Finding[] {
  return findings.filter((each) => each.severity === severity);
}

/** One row a layer, all variances on one scale. */
function overview(layers: readonly InspectedLayer[], findings: readonly Finding[], arrays: readonly PageArrays[]): string {
  const positive = arrays.flatMap(({ variance }) => Array.from(variance ?? []).filter((value) => value > 0 && Number.isFinite(value)));
  const range = extremes(positive);
  const rows = layers.map((layer, k) => {
    const own = findings.filter(({ layer: name }) => name === layer.name);
    const codes = own.map(({ code, severity }) => `<span class="${severity}"><b>${code}</b></span>`);
    const cells = [
      `<td><a href="#layer-${k}">${escaped(layer.name)}</a></td>`,
      `<td>${layer.form}</td>`,
      `<td class="number">${layer.channels ?? "-"}</td>`,
      `<td class="number">${short(layer.epsilon) ?? "-"}</td>`,
      `<td>${layer.mode}</td>`,
      `<td>${rangeBar(arrays[k].variance, range) || "-"}</td>`,
      `<td>${layer.fold.possible ? `into ${layer.fold.operator}` : layer.fold.code}</td>`,
      `<td>${[...new Set(codes)].join(", ") || "-"}</td>`,
    ];
    return `<tr>${cells.join("")}</tr>`;
  });
  const scale = positive.length === 0 ? "" : `, ${short(range[0])} .. ${short(range[1])}`;
  return `<h2>Layers</h2><div class="scroll" tabindex="0"><table><thead><tr><th>layer</th><th>form</th><th class="number">channels</th>
<th class="number">epsilon</th><th>mode</th><th>variance${scale}</th><th>fold</th><th>findings</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table></div>`;
}

function section(layer: InspectedLayer, k: number, findings: readonly Finding[], { gamma, beta, mean, variance }: PageArrays): string {
  const zero = { isLog: false, mark: { value: 0, label: "0" } };
  const { epsilon } = layer;
  const pictures = [
    gamma && distribution("gamma", gamma, zero),
    beta && distribution("beta", beta, zero),
    mean && distribution("mean", mean, zero),
    variance &&
      distribution("variance", variance, {
        isLog: true,
        mark: epsilon === null ? null : { value: epsilon, label: `epsilon ${short(epsilon)}` },
      }),
  ].filter((picture) => picture !== null);
  const neighbours = [layer.input.from, ...layer.output.to].map(({ operator, kind }) => operator ?? kind);
  const facts = [
    layer.form,
    layer.channels === null ? "" : counted(layer.channels, "channel"),
    `epsilon ${short(epsilon) ?? "unknown"}`,
    `momentum ${short(layer.momentum) ?? "unknown"}`,
    layer.mode,
    `between ${neighbours[0]} and ${[...new Set(neighbours.slice(1))].join(", ") || "nothing"}`,
    ...(layer.weights === null ? [] : [`weights ${layer.weights.state}`]),
  ].filter((fact) => fact !== "");
  const fold = layer.fold.possible
    ? `Folds into ${layer.fold.operator} ${layer.fold.into}.`
    : `Does not fold (${layer.fold.code}): ${layer.fold.why}`;
  const missing = Object.entries(layer.missing).map(([array, reason]) => `${array} (${reason})`);
  const where = layer.scope === "" ? "" : ` <small>in ${escaped(layer.scope)}</small>`;
  return `<section id="layer-${k}"><h3>${escaped(layer.name)}${where}</h3><p class="facts">${escaped(facts.join(" · "))}</p><p>${escaped(fold)}</p>${
    missing.length === 0 ? "" : `<p class="facts">Not in the file: ${escaped(missing.join(", "))}.</p>`
  }${list(findings.filter((finding) => finding.layer === layer.name))}<div class="pictures">${pictures.join("")}</div></section>`;
}

function list(findings: readonly Finding[]): string {
  if (findings.length === 0) return "";
  const items = findings.map(({ severity, code, sentence, reference }) => {
    const more = reference === null ? "" : ` (<a href="${escaped(reference)}">${escaped(reference.replace(/^https:\/\//, ""))}</a>)`;
    return `<li class="${severity}"><b>${severity}: ${code}</b>: ${escaped(sentence)}${more}</li>`;
  });
  return `<ul>${items.join("")}</ul>`;
}

function plainList(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : `<h2>${title}</h2><ul>${lines.map((line) => `<li>${escaped(line)}</li>`).join("")}</ul>`;
}

/** Names come from the file, which anybody may have made. */
export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
