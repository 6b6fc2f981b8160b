import { pixels } from "./data.ts";
import { fixed } from "./format.ts";
import { infer, momentsOf } from "./one-channel.ts";

/** What a layer that was trained on pixels from 0 to 1 makes of other images. */
export interface OtherDataRow {
  readonly name: string;
  readonly mean: string;
  readonly deviation: string;
}

export function otherData(): OtherDataRow[] {
  const seen = pixels();
  const { mean, deviation } = momentsOf(seen);
  const row = (name: string, change: (value: number) => number): OtherDataRow => {
    const got = momentsOf(infer(seen.map(change), { gamma: 1, beta: 0, movingMean: mean, movingVariance: deviation ** 2 }));
    const digits = got.deviation > 10 ? 0 : 2;
    return { name, mean: fixed(got.mean, digits), deviation: fixed(got.deviation, digits) };
  };
  return [
    row("images between 0 and 1, as in training", (value) => value),
    row("darker images, of the same spread", (value) => value - 0.3),
    row("images with a third of the contrast", (value) => 0.5 + (value - 0.5) / 3),
    row("the same images, but between −1 and 1", (value) => 2 * value - 1),
    row("the same images, but between 0 and 255", (value) => 255 * value),
  ];
}
