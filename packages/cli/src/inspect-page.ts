import type { Finding, FoundLayer, InspectReport } from "@batchnorm/onnx-model";
import { counted, short } from "./table.ts";

/** A picture has so many bars. */
const BARS = 24;
const BAR_WIDTH = 6;
const HEIGHT = 48;

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #222; background: #fff; }
section { border-top: 1px solid #ddd; padding: 0.5rem 0 1rem; }
.pictures { display: flex; flex-wrap: wrap; gap: 2rem; }
figure { margin: 0; } figcaption { font-size: 13px; color: #555; }
svg { display: block; } rect { fill: #4a78b8; }
.error { color: #b00020; } .warning { color: #8a5a00; } .note { color: #555; }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818; } section { border-color: #444; } figcaption, .note { color: #aaa; } }`;

/** The report as one page that needs nothing else: what each layer is, its findings, and how its arrays are distributed. */
export function inspectPage(title: string, { model, layers, findings }: InspectReport, found: readonly FoundLayer[]): string {
  const producer = [model.producer, model.producerVersion].filter((part) => part !== "").join(" ") || "unknown producer";
  const sections = layers.map((layer, k) => {
    const { parameters, statistics } = found[k];
    const arrays = { gamma: parameters.gamma, beta: parameters.beta, mean: statistics.movingMean, variance: statistics.movingVariance };
    const pictures = Object.entries(arrays).map(([name, values]) => (values === null ? "" : histogram(name, Array.from(values))));
    const facts = [
      layer.form,
      layer.channels === null ? "" : counted(layer.channels, "channel"),
      `epsilon ${short(layer.epsilon) ?? "unknown"}`,
      layer.mode,
      layer.fold.possible ? `folds into ${layer.fold.operator}` : `does not fold: ${layer.fold.code}`,
    ].filter((fact) => fact !== "");
    const own = findings.filter((finding) => finding.layer === layer.name);
    return `<section><h2>${escaped(layer.name)}</h2><p>${escaped(facts.join(" · "))}</p>${list(own)}<div class="pictures">${pictures.join("")}</div></section>`;
  });
  const general = findings.filter(({ layer }) => layer === null);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title>
<style>${STYLE}</style></head><body>
<h1>${escaped(title)}</h1>
<p>${escaped(producer)}, opset ${model.opset}, ${counted(model.nodes, "node")}, ${counted(layers.length, "batch normalization")}</p>
${list(general)}
${sections.join("\n")}
</body></html>
`;
}

function list(findings: readonly Finding[]): string {
  if (findings.length === 0) return "";
  const items = findings.map(({ severity, code, sentence }) => `<li class="${severity}"><b>${code}</b>: ${escaped(sentence)}</li>`);
  return `<ul>${items.join("")}</ul>`;
}

/** How many channels lie in each of some equal parts of the range. */
function histogram(name: string, values: readonly number[]): string {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return `<figure><figcaption>${name}: not finite</figcaption></figure>`;
  const [least, most] = finite.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  const counts = new Array<number>(BARS).fill(0);
  for (const value of finite) {
    // Halves, so that the width of the range does not overflow.
    const place = most === least ? 0.5 : (value / 2 - least / 2) / (most / 2 - least / 2);
    counts[Math.min(BARS - 1, Math.floor(place * BARS))] += 1;
  }
  const highest = Math.max(...counts);
  const bars = counts.map((count, k) => {
    const height = (count / highest) * HEIGHT;
    return `<rect x="${k * BAR_WIDTH}" y="${(HEIGHT - height).toFixed(1)}" width="${BAR_WIDTH - 1}" height="${height.toFixed(1)}"/>`;
  });
  const range = least === most ? `${short(least)}` : `${short(least)} .. ${short(most)}`;
  const spoilt = values.length === finite.length ? "" : `, ${values.length - finite.length} not finite`;
  const size = `width="${BARS * BAR_WIDTH}" height="${HEIGHT}"`;
  return `<figure><svg ${size} role="img" aria-label="${name}, ${range}">${bars.join("")}</svg><figcaption>${name}: ${range}${spoilt}</figcaption></figure>`;
}

/** Names come from the file, which anybody may have made. */
export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
