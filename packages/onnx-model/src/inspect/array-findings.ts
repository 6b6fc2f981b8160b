import type { FoundLayer } from "../find/layer.ts";
import type { Numbers } from "../graph/constant.ts";
import { type Finding, finding } from "./finding.ts";
import {
  DEAD_DEVIATION,
  EXCHANGED_CHANNELS,
  EXCHANGED_FROM,
  EXCHANGED_SPREAD,
  EXCHANGED_TO,
  EXPLODING_GAIN,
  LARGEST_IN_FLOAT16,
  LOST_BESIDE_EPSILON,
  VANISHES_IN_FLOAT16,
} from "./thresholds.ts";

/** What the numbers of a layer tell. */
export function arrayFindings(layer: FoundLayer): Finding[] {
  const { name, epsilon, parameters, statistics, affine, perPosition } = layer;
  const { movingMean: mean, movingVariance: variance } = statistics;
  const found: Finding[] = [];
  const add = (code: Finding["code"], channels: readonly number[], sentence: (first: number) => string): void => {
    if (channels.length > 0) found.push(finding(code, name, sentence(channels[0]), channels));
  };
  const of = (channels: readonly number[]): string => `${channels.length} of ${layer.channels ?? channels.length} channels`;

  if (mean !== null && variance !== null && all(mean, (value) => value === 0) && all(variance, (value) => value === 1)) {
    found.push(finding("never-trained", name, "The moving mean is 0 and the moving variance 1 in every channel, as in a new layer."));
  }
  for (const [array, values] of Object.entries({ ...parameters, ...statistics })) {
    const bad = where(values, (value) => !Number.isFinite(value));
    add("non-finite", bad, (first) => `${array} is ${values![first]} in channel ${first}; ${of(bad)} are not finite.`);
  }
  const negative = where(variance, (value) => value < 0);
  add(
    "negative-variance",
    negative,
    (first) => `The variance is ${short(variance![first])} in channel ${first}: no data has that (${of(negative)}).`,
  );
  if (perPosition) return found;

  const tiny = epsilon === null ? [] : where(variance, (value) => value >= 0 && value < epsilon * LOST_BESIDE_EPSILON);
  add(
    "tiny-variance",
    tiny,
    (first) =>
      `The variance of ${of(tiny)} is lost beside epsilon ${short(epsilon!)}, such as ${short(variance![first])} in channel ${first}.`,
  );
  found.push(...float16Findings(layer));
  const dead = where(deviationsOf(layer), (value) => value < DEAD_DEVIATION);
  add(
    "dead-channel",
    dead,
    (first) => `${of(dead)} give a constant, whatever the data: gamma is ${short(parameters.gamma?.[first] ?? 1)} in channel ${first}.`,
  );
  const exploding = where(affine?.multiplier ?? null, (value) => Number.isFinite(value) && Math.abs(value) > EXPLODING_GAIN);
  add(
    "exploding-channel",
    exploding,
    (first) => `${of(exploding)} multiply by more than ${EXPLODING_GAIN}: channel ${first} by ${short(affine!.multiplier[first])}.`,
  );
  if (mean !== null && variance !== null && areExchanged(mean, variance)) {
    const sentence = `All means are positive and far from 0 (${short(mean[0])} and a variance of ${short(variance[0])} in channel 0): mean and variance may be exchanged.`;
    found.push(finding("exchanged-statistics-suspected", name, sentence));
  }
  return found;
}

/** What float16 would do to the layer. An infinite number is another finding: it is so in every type. */
function float16Findings({ name, parameters, statistics, affine, channels }: FoundLayer): Finding[] {
  const found: Finding[] = [];
  const k = affine?.multiplier ?? null;
  const l = affine?.offset ?? null;
  const arrays = Object.entries({
    ...parameters,
    ...statistics,
    "gamma / sqrt(variance + epsilon)": k,
    "beta - mean gamma / sqrt(variance + epsilon)": l,
  });
  for (const [array, values] of arrays) {
    const large = where(values, (value) => Number.isFinite(value) && Math.abs(value) > LARGEST_IN_FLOAT16);
    if (large.length === 0) continue;
    const sentence = `${array} is beyond float16's ${LARGEST_IN_FLOAT16} in ${large.length} of ${channels} channels, such as ${short(values![large[0]])} in channel ${large[0]}.`;
    found.push(finding("float16-unsafe", name, sentence, large));
  }
  const { movingVariance } = statistics;
  const small = where(movingVariance, (value) => value > 0 && value < VANISHES_IN_FLOAT16);
  if (small.length > 0) {
    const sentence = `The variance of ${small.length} of ${channels} channels is 0 in float16, such as ${short(movingVariance![small[0]])} in channel ${small[0]}.`;
    found.push(finding("float16-unsafe", name, sentence, small));
  }
  return found;
}

/**
 * The deviation of each channel's output, on data with the layer's own statistics: |gamma| sqrt(variance / (variance +
 * epsilon)).
 */
function deviationsOf({ parameters: { gamma }, statistics: { movingVariance }, affine, epsilon }: FoundLayer): Float64Array | null {
  if (movingVariance === null || epsilon === null) {
    // Where the variance is not in the file, only a multiplier of 0 is known to be dead.
    return affine === null ? null : affine.multiplier.map((value) => (value === 0 ? 0 : 1));
  }
  return Float64Array.from(
    movingVariance,
    (variance, c) => Math.abs(gamma?.[c] ?? 1) * (variance === 0 ? 0 : Math.sqrt(variance / (variance + epsilon))),
  );
}

function areExchanged(mean: Numbers, variance: Numbers): boolean {
  if (mean.length < EXCHANGED_CHANNELS || !all(mean, (value) => value > 0)) return false;
  const given = median(Float64Array.from(mean, (value, c) => value / Math.sqrt(Math.max(variance[c], 0))));
  const swapped = median(Float64Array.from(mean, (value, c) => Math.abs(variance[c]) / Math.sqrt(value)));
  const spread = Math.max(...mean) / Math.min(...mean);
  return given > EXCHANGED_FROM && swapped < EXCHANGED_TO && spread >= EXCHANGED_SPREAD;
}

export function median(values: Numbers): number {
  return values.slice().sort()[Math.floor(values.length / 2)];
}

function all(values: Numbers, is: (value: number) => boolean): boolean {
  return values.length > 0 && values.every(is);
}

function where(values: Numbers | null, is: (value: number) => boolean): number[] {
  const channels: number[] = [];
  for (const [c, value] of (values ?? []).entries()) if (is(value)) channels.push(c);
  return channels;
}

/** A number as people read it. */
export function short(value: number): string {
  return Number(value.toPrecision(3)).toString();
}
