import { readFileSync } from "node:fs";
import type { LayerDrift, recalibrate } from "@batchnorm/onnx-model/execute";
import { describe, expect, it } from "vitest";
import { driftPage, driftPicture } from "../src/drift-page.ts";
import { driftSentence } from "../src/drift-table.ts";
import { batchnorm, fixture, temporaryFolder } from "./run.ts";

const file = temporaryFolder();
const digits = fixture("recalibration/digits.onnx");
const images = [0, 1, 2, 3].map((k) => fixture(`recalibration/images-${k}.npy`));

/** A channel whose old mean is 0 and old deviation 1. */
function channelOf(channel: number, newMean: number, spread: number): LayerDrift["channels"][number] {
  const shift = Math.abs(newMean);
  const drift = Math.max(shift, Math.abs(Math.log(spread)));
  return { channel, oldMean: 0, newMean, oldVariance: 1, newVariance: spread ** 2, shift, spread, drift };
}

/** The bars of a picture: top and height of each, in old deviations, from the band that the old statistics give. */
function barsOf(svg: string): { low: number; high: number; large: boolean }[] {
  const [, bandTop, bandHeight] = /class="expected"[^>]* y="([\d.]+)"[^>]* height="([\d.]+)"/.exec(svg)!.map(Number);
  const unit = bandHeight / 2;
  const zero = bandTop + unit;
  return [...svg.matchAll(/class="(bar(?: large)?)"[^>]* y="([\d.]+)"[^>]* height="([\d.]+)"/g)].map(([, name, y, height]) => ({
    low: (zero - Number(y) - Number(height)) / unit,
    high: (zero - Number(y)) / unit,
    large: name === "bar large",
  }));
}

describe("the picture of a drift", () => {
  it("has a bar for each channel, from mean - deviation to mean + deviation, beside the old ones", () => {
    const channels = [channelOf(0, -1.5, 0.5), channelOf(1, 0.25, 2), channelOf(2, 0, 1)];
    const bars = barsOf(driftPicture(channels, "bn"));
    // A picture has pixels: a tenth of one is a five-hundredth of a deviation here.
    for (const [k, [low, high, large]] of [[-2, -1, true] as const, [-1.75, 2.25, false] as const, [-1, 1, false] as const].entries()) {
      expect(bars[k].low).toBeCloseTo(low, 1);
      expect(bars[k].high).toBeCloseTo(high, 1);
      expect(bars[k].large).toBe(large);
    }
    expect(bars).toHaveLength(3);
  });

  it("shows what is not finite as a question, and what is far off at the edge", () => {
    const svg = driftPicture([channelOf(0, Number.NaN, 1), channelOf(1, 1e9, 1)], 'a "name" & <more>');
    expect(svg).toContain("?<title>");
    expect(svg).not.toMatch(/NaN"|Infinity"/);
    expect(svg).toContain("a &quot;name&quot; &amp; &lt;more&gt;");
    expect(barsOf(svg)).toHaveLength(1);
  });

  it("comes with the numbers of all layers, on a page that needs nothing else", async () => {
    const argv = ["recalibrate", digits, "--data", ...images, "--out", file("new.onnx"), "--html", file("drift.html")];
    const { out } = await batchnorm(...argv);
    const page = readFileSync(file("drift.html"), "utf8");
    expect(out).toContain("Largest drift: 0.806, of channel 8 of dense_norm; 0 % of the channels drifted by 1 or more.");
    expect(page).toContain("Largest drift: 0.806, of channel 8 of dense_norm");
    expect([...page.matchAll(/<svg/g)]).toHaveLength(5);
    expect([...page.matchAll(/class="bar/g)]).toHaveLength(1 + 6 + 6 + 12 + 16);
    expect(page).not.toMatch(/https?:|<script/);
    for (const index of [1, 2])
      await batchnorm("recalibrate", digits, "--data", ...images, "--shard", `${index}/2`, "--out", file(`${index}.json`));
    await batchnorm("merge", digits, file("1.json"), file("2.json"), "--out", file("merged.onnx"), "--html", file("merged.html"));
    expect(readFileSync(file("merged.html"), "utf8")).toContain("Largest drift: 0.806, of channel 8 of dense_norm");
    expect((await batchnorm(...argv, "--shard", "1/2")).err).toContain("A shard has no drift");
  });

  it("counts the channels that are far off", () => {
    const layers = [
      { layer: "a", drift: 1.5, channels: [channelOf(0, -1.5, 0.5), channelOf(1, 0, 1)] },
      { layer: "b", drift: 2, channels: [channelOf(3, 2, 1), channelOf(0, 0, 1)] },
    ];
    expect(driftSentence(layers)).toBe("Largest drift: 2.00, of channel 3 of b; 50 % of the channels drifted by 1 or more.");
    const moments = { a: { count: 1 }, b: { count: 2 } } as unknown as Awaited<ReturnType<typeof recalibrate>>["moments"];
    const skipped = [{ layer: "c<", code: "no-state", why: "none" }] as const;
    expect(driftPage("t", { drift: layers, moments, skipped })).toContain("<p>c&lt;: no-state: none</p>");
  });
});
