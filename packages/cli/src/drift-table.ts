import type { LayerDrift, RecalibrateResult } from "@batchnorm/onnx-model/execute";
import { renderTable, short } from "./table.ts";
import { line, visible } from "./visible.ts";

/** So many channels of each layer are shown; --json has all. */
const SHOWN = 3;

/** How far the data is from that of the old statistics, in one sentence. */
export function driftSentence(drift: readonly LayerDrift[]): string {
  const channels = drift.flatMap(({ layer, channels: all }) => all.map((each) => ({ layer, ...each })));
  const [worst] = [...channels].sort((a, b) => b.drift - a.drift);
  if (worst === undefined) return "There are no channels.";
  const share = channels.filter((each) => each.drift >= 1).length / channels.length;
  const many = `${Number((100 * share).toPrecision(2))} % of the channels drifted by 1 or more`;
  return visible(`Largest drift: ${fixed(worst.drift)}, of channel ${worst.channel} of ${worst.layer}; ${many}.`);
}

/** Old statistics against new ones: the layers, then the channels that moved most. */
export function renderDrift({ drift, skipped, moments }: RecalibrateResult): string {
  const layers = renderTable({
    columns: ["layer", "channels", "count", "drift", "largest shift", "spread"],
    rows: drift.map(({ layer, drift: most, channels }) => {
      const spreads = channels.map(({ spread }) => spread);
      return [
        layer,
        channels.length,
        moments[layer].count,
        fixed(most),
        fixed(Math.max(...channels.map(({ shift }) => shift))),
        `${fixed(Math.min(...spreads))} .. ${fixed(Math.max(...spreads))}`,
      ];
    }),
  });
  const channels = renderTable({
    columns: ["layer", "channel", "mean", "variance", "drift"],
    rows: drift.flatMap(({ layer, channels: all }) =>
      all
        .slice(0, SHOWN)
        .map(({ channel, oldMean, newMean, oldVariance, newVariance, drift: most }) => [
          layer,
          channel,
          `${short(oldMean)} -> ${short(newMean)}`,
          `${short(oldVariance)} -> ${short(newVariance)}`,
          fixed(most),
        ]),
    ),
  });
  const left = skipped.map(({ layer, code, why }) => line(`${layer}: ${code}: ${why}`)).join("");
  return `${driftSentence(drift)}\n\n${layers}\nThe channels that moved most:\n\n${channels}\n${left}`;
}

function fixed(value: number): string {
  return value.toPrecision(3);
}
