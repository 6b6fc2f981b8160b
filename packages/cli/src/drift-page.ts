import type { ChannelDrift, LayerDrift, RecalibrateResult } from "@batchnorm/onnx-model/execute";
import { driftSentence } from "./drift-table.ts";
import { escaped } from "./inspect-page.ts";
import { counted, short } from "./table.ts";

/** So many channels of a layer are drawn, those that moved most; --json has all. */
const SHOWN = 80;
const STEP = 11;
const HEIGHT = 150;
const LEFT = 44;
/** Room for the numbers of the axis, above and below. */
const EDGE = 10;
/** From this drift on a channel is marked: the layer's output is off by a whole gamma, or its width by a factor of e. */
const LARGE = 1;
/** Farther than so many old deviations nothing is drawn: one broken channel would flatten all others. */
const FARTHEST = 12;

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #222; background: #fff; }
.layers { display: flex; flex-wrap: wrap; gap: 0 2.5rem; border-top: 1px solid #ddd; margin-top: 1rem; }
section { padding: 0.5rem 0 1rem; overflow-x: auto; max-width: 100%; }
h2 { font-size: 1.1rem; margin: 0.5rem 0 0; } p { margin: 0.3rem 0; } .number { font-size: 1.3rem; }
table { border-collapse: collapse; } td, th { padding: 0.15rem 0.9rem 0.15rem 0; text-align: left; font-weight: normal; }
td.n { text-align: right; font-variant-numeric: tabular-nums; } th { color: #666; border-bottom: 1px solid #ddd; }
.fill { display: inline-block; height: 0.7rem; background: #4a78b8; } .fill.large, .large { background: #c0392b; }
figcaption { font-size: 13px; color: #555; } figure { margin: 0.4rem 0 0; } svg { display: block; }
.expected { fill: #dfe5ec; } .axis { stroke: #8a94a0; stroke-width: 1; } .bar { fill: #4a78b8; } .bar.large { fill: #c0392b; }
.mean { stroke: #fff; stroke-width: 2; } text { font: 11px system-ui, sans-serif; fill: #555; }
.key { display: inline-block; width: 0.8rem; height: 0.8rem; vertical-align: -0.05rem; margin: 0 0.3rem 0 1rem; } .key:first-child { margin-left: 0; }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818; } .layers, th { border-color: #444; }
  .expected { fill: #333a42; } .mean { stroke: #181818; } figcaption, text, th { color: #aaa; fill: #aaa; } }`;

/**
 * Old statistics against new ones as one page that needs nothing else: for every layer, where each channel's data is beside
 * where the old statistics expect it.
 */
export function driftPage(title: string, { drift, moments, skipped }: Pick<RecalibrateResult, "drift" | "moments" | "skipped">): string {
  const most = Math.max(...drift.map(({ drift: each }) => finite(each)), Number.MIN_VALUE);
  const rows = drift.map((layer) => {
    const { layer: name, drift: each, channels } = layer;
    const width = Math.max(1, (finite(each) / most) * 220).toFixed(0);
    const bar = `<span class="fill${each >= LARGE ? " large" : ""}" style="width:${width}px"></span>`;
    const moved = channels.filter((channel) => channel.drift >= LARGE).length;
    return `<tr><td>${escaped(name)}</td><td class="n">${channels.length}</td><td class="n">${moments[name].count}</td><td class="n">${moved}</td><td class="n">${each.toPrecision(3)}</td><td>${bar}</td></tr>`;
  });
  const left = skipped.map(({ layer, code, why }) => `<p>${escaped(layer)}: ${code}: ${escaped(why)}</p>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title>
<style>${STYLE}</style></head><body>
<h1>${escaped(title)}</h1>
<p class="number">${escaped(driftSentence(drift))}</p>
<p>Inference is right only on data like that of the moving statistics. The drift of a channel is the larger of two numbers: how many old
deviations its mean moved, and |ln| of the factor by which its deviation grew or shrank. 0 is data like that of the statistics; at 1 the
layer's output is off by a whole gamma, or wider or narrower by a factor of e.</p>
<table><tr><th>layer</th><th>channels</th><th>elements</th><th>drift from 1 on</th><th>largest drift</th><th></th></tr>
${rows.join("\n")}</table>
<p><span class="key" style="background:#b9c4d0"></span>where the old statistics expect the data: their mean and one deviation to each side
<span class="key" style="background:#4a78b8"></span>where it is <span class="key large"></span>the same, drift from 1 on. The line in a bar is its mean. Channels that moved most stand to the left.</p>
<div class="layers">
${drift.map(section).join("\n")}
</div>
${left.join("\n")}
</body></html>
`;
}

function section(layer: LayerDrift): string {
  const { channels } = layer;
  const shown = channels.slice(0, SHOWN);
  const rest = channels.length > shown.length ? `, the ${shown.length} that moved most of ${channels.length}` : "";
  const caption = `${counted(shown.length, "channel")}${rest}; in old deviations`;
  return `<section><h2>${escaped(layer.layer)}</h2><figure>${driftPicture(shown, layer.layer)}<figcaption>${escaped(caption)}</figcaption></figure></section>`;
}

/** Channels beside each other: a bar from mean - deviation to mean + deviation, in old deviations from the old mean. */
export function driftPicture(channels: readonly ChannelDrift[], label: string): string {
  const reach = channels.flatMap((channel) => {
    const [low, high] = rangeOf(channel);
    return [Math.abs(low), Math.abs(high)];
  });
  const top = Math.min(FARTHEST, Math.max(2, ...reach.filter(Number.isFinite)) * 1.05);
  const y = (value: number): number => EDGE + ((top - Math.max(-top, Math.min(top, value))) / (2 * top)) * HEIGHT;
  const width = LEFT + channels.length * STEP + 4;
  const band = `<rect class="expected" x="${LEFT}" y="${y(1).toFixed(1)}" width="${width - LEFT}" height="${(y(-1) - y(1)).toFixed(1)}"/>`;
  const ticks = ticksOf(top).map(
    (tick) =>
      `<text x="${LEFT - 6}" y="${(y(tick) + 4).toFixed(1)}" text-anchor="end">${tick}</text>` +
      (tick === 0 ? `<line class="axis" x1="${LEFT}" x2="${width}" y1="${y(0).toFixed(1)}" y2="${y(0).toFixed(1)}"/>` : ""),
  );
  const bars = channels.map((channel, k) => bar(channel, LEFT + k * STEP + 2, y));
  const size = `width="${width}" height="${HEIGHT + 2 * EDGE}" viewBox="0 0 ${width} ${HEIGHT + 2 * EDGE}"`;
  return `<svg ${size} role="img" aria-label="drift of the channels of ${escaped(label)}">${band}${ticks.join("")}${bars.join("")}</svg>`;
}

function bar(channel: ChannelDrift, x: number, y: (value: number) => number): string {
  const { channel: index, oldMean, newMean, oldVariance, newVariance, drift } = channel;
  const [low, high] = rangeOf(channel);
  const text = `channel ${index}: mean ${short(oldMean)} to ${short(newMean)}, variance ${short(oldVariance)} to ${short(newVariance)}, drift ${drift.toPrecision(3)}`;
  if (!Number.isFinite(low + high)) return `<text x="${x}" y="${y(0) + 4}">?<title>${escaped(text)}</title></text>`;
  const height = Math.max(2, y(low) - y(high));
  const middle = y((low + high) / 2).toFixed(1);
  return (
    `<g><title>${escaped(text)}</title><rect class="bar${drift >= LARGE ? " large" : ""}" x="${x}" y="${y(high).toFixed(1)}" ` +
    `width="${STEP - 4}" height="${height.toFixed(1)}"/><line class="mean" x1="${x}" x2="${x + STEP - 4}" y1="${middle}" y2="${middle}"/></g>`
  );
}

/** Mean - deviation and mean + deviation of the new data, where the old mean is 0 and the old deviation 1. */
function rangeOf({ oldMean, newMean, shift, spread }: ChannelDrift): readonly [number, number] {
  const mean = newMean < oldMean ? -shift : shift;
  return [mean - spread, mean + spread];
}

function ticksOf(top: number): readonly number[] {
  const step = top <= 3 ? 1 : top <= 6 ? 2 : 4;
  const half = Array.from({ length: Math.floor(top / step) }, (_, k) => (k + 1) * step);
  return [...half.map((tick) => -tick).reverse(), 0, ...half];
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
