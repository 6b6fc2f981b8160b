import { relativeTime } from "../bars.ts";
import { ALLOC, ARRAYS, ONNXRUNTIME, PLAIN_TYPESCRIPT, PYTORCH, TFJS_CPU, TFJS_SPELLED_OUT, TFJS_WASM } from "../names.ts";
import type { Timing } from "../run.ts";
import { WORKS } from "../tasks.ts";

const SHOWN = [ALLOC, ARRAYS, PYTORCH, ONNXRUNTIME, TFJS_SPELLED_OUT, TFJS_WASM, TFJS_CPU, PLAIN_TYPESCRIPT];

/** Pixels: the left column of names, the bar of the longest time, a bar's height with its gap, and a heading's. */
const NAMES = 190;
const LONGEST = 420;
const BAR = 20;
const HEADING = 34;

/**
 * Bars of the time of each competitor as a multiple of this backend's on plain arrays, on a logarithmic scale that begins at a half. The text has the
 * colour of its surroundings, light or dark, as far as an image can know it.
 */
export function svg(timings: readonly Timing[]): string {
  const groups = WORKS.map((work) => ({ work, bars: barsOf(timings, work) }));
  const longest = Math.max(...groups.flatMap(({ bars }) => bars.map(({ multiple }) => multiple)));
  const width = (multiple: number): number => (LONGEST * Math.log2(2 * Math.max(multiple, 0.55))) / Math.log2(2 * longest);
  const parts: string[] = [];
  let y = 0;
  for (const { work, bars } of groups) {
    y += HEADING;
    parts.push(`<text class="heading" x="0" y="${y - 10}">${work}</text>`);
    for (const { name, multiple } of bars) {
      const own = name === ARRAYS || name === ALLOC;
      const [end, middle] = [NAMES + width(multiple), y + BAR / 2 + 4];
      parts.push(
        `<text x="${NAMES - 8}" y="${middle}" text-anchor="end">${name}</text>`,
        `<rect class="${own ? "own" : "other"}" x="${NAMES}" y="${y + 2}" width="${width(multiple).toFixed(1)}" height="${BAR - 5}" rx="2"/>`,
        `<text x="${(end + 6).toFixed(1)}" y="${middle}">${multiple.toPrecision(multiple < 10 ? 2 : 3)}x</text>`,
      );
      y += BAR;
    }
  }
  y += HEADING;
  parts.push(
    `<text x="0" y="${y - 10}">Time as a multiple of backend-cpu's on plain arrays, geometric mean; the scale is logarithmic.</text>`,
  );
  const size = `width="${NAMES + LONGEST + 70}" height="${y + 8}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${NAMES + LONGEST + 70} ${y + 8}" role="img">`,
    "<title>Time of batch normalization as a multiple of backend-cpu on plain arrays; the scale is logarithmic</title>",
    "<style>",
    "  text { font: 13px system-ui, sans-serif; fill: #57606a } .heading { font-weight: 600 }",
    "  .own { fill: #2da44e } .other { fill: #8c959f }",
    "  @media (prefers-color-scheme: dark) { text { fill: #adbac7 } .own { fill: #46954a } .other { fill: #768390 } }",
    "</style>",
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function barsOf(timings: readonly Timing[], work: Timing["work"]): { readonly name: string; readonly multiple: number }[] {
  return SHOWN.filter((name) => timings.some((timing) => timing.work === work && name in timing.times)).map((name) => ({
    name,
    multiple: name === ARRAYS ? 1 : best(timings, work, name),
  }));
}

/** Of another competitor the better layout counts, of ours both. */
function best(timings: readonly Timing[], work: Timing["work"], name: string): number {
  return name === ALLOC ? relativeTime(timings, work, ALLOC, ARRAYS) : 1 / relativeTime(timings, work, ARRAYS, name);
}
