import { short } from "./table.ts";

/** The inside of a picture: viewBox units, which the page scales. */
const WIDTH = 240;
const HEIGHT = 56;
/** Bars of a histogram; with fewer channels than this each is a line of its own. */
const BARS = 30;

/** Where a number lies between two others, from 0 to 1; halves, so that the width of the range does not overflow. */
function placeIn(value: number, least: number, most: number): number {
  return most === least ? 0.5 : (value / 2 - least / 2) / (most / 2 - least / 2);
}

/** A scale for the numbers of an array: by their logarithm for variances, which differ by factors. */
export interface Scale {
  readonly isLog: boolean;
  /** A number to be marked if it lies within: 0, or epsilon. */
  readonly mark: { readonly value: number; readonly label: string } | null;
}

/** How the channels of an array are distributed: a line each where they are few, a histogram where they are many. */
export function distribution(name: string, values: ArrayLike<number>, { isLog, mark }: Scale): string {
  const all = Array.from(values);
  const finite = all.filter((value) => Number.isFinite(value) && (!isLog || value > 0));
  const left = all.length - finite.length;
  const spoilt = left === 0 ? "" : `, ${left} not ${isLog ? "positive and finite" : "finite"}`;
  if (finite.length === 0)
    return `<figure><figcaption><b>${name}</b>: ${isLog ? "nothing positive and finite" : "not finite"}</figcaption></figure>`;
  const onScale = isLog ? Math.log : (value: number): number => value;
  const [least, most] = extremes(finite);
  const at = (value: number): number => 4 + placeIn(onScale(value), onScale(least), onScale(most)) * (WIDTH - 8);
  const shapes =
    finite.length <= BARS ? finite.map((value) => `<path d="M${at(value).toFixed(1)} 6V${HEIGHT}"/>`).join("") : bars(finite.map(at));
  const isMarked = mark !== null && mark.value > least && mark.value < most;
  const line = isMarked ? `<path class="mark" d="M${at(mark.value).toFixed(1)} 0V${HEIGHT}"><title>${mark.label}</title></path>` : "";
  const range = least === most ? `${short(least)}` : `${short(least)} .. ${short(most)}`;
  const marked = isMarked ? `; dashed: ${mark.label}` : "";
  return (
    `<figure><svg viewBox="0 0 ${WIDTH} ${HEIGHT + 1}" role="img" aria-label="${name}, ${range}">${shapes}${line}` +
    `<path class="axis" d="M0 ${HEIGHT + 0.5}H${WIDTH}"/></svg>` +
    `<figcaption><b>${name}</b>: ${range}${spoilt}<span>${isLog && least !== most ? "; logarithmic" : ""}${marked}</span></figcaption></figure>`
  );
}

function bars(places: readonly number[]): string {
  const counts = new Array<number>(BARS).fill(0);
  for (const place of places) counts[Math.min(BARS - 1, Math.floor(((place - 4) / (WIDTH - 8)) * BARS))] += 1;
  const highest = Math.max(...counts);
  const width = (WIDTH - 8) / BARS;
  return counts
    .map((count, k) => {
      const height = (count / highest) * (HEIGHT - 4);
      return count === 0
        ? ""
        : `<rect x="${(4 + k * width).toFixed(1)}" y="${(HEIGHT - height).toFixed(1)}" width="${(width - 1).toFixed(1)}" height="${height.toFixed(1)}"><title>${count}</title></rect>`;
    })
    .join("");
}

/**
 * From the smallest to the largest positive number of an array, with a dot for the median, on a scale that all layers
 * share.
 */
export function rangeBar(values: ArrayLike<number> | null, [least, most]: readonly [number, number]): string {
  const finite = Array.from(values ?? [])
    .filter((value) => value > 0 && Number.isFinite(value))
    .sort((a, b) => a - b);
  if (finite.length === 0) return "";
  const at = (value: number): string => (4 + placeIn(Math.log(value), Math.log(least), Math.log(most)) * 112).toFixed(1);
  const [from, middle, to] = [finite[0], finite[finite.length >> 1], finite[finite.length - 1]];
  const label = `variance from ${short(from)} to ${short(to)}, median ${short(middle)}`;
  return (
    `<svg class="range" viewBox="0 0 120 12" role="img" aria-label="${label}"><title>${label}</title>` +
    `<path d="M${at(from)} 6H${at(to)}"/><circle cx="${at(middle)}" cy="6" r="3"/></svg>`
  );
}

/** The smallest and the largest of some numbers; 1 and 1 of none. */
export function extremes(values: readonly number[]): readonly [number, number] {
  if (values.length === 0) return [1, 1];
  return values.reduce<[number, number]>(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}
