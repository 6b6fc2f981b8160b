import { normalFrom, uniformFrom } from "./random.ts";

/** A channel of many elements with the given mean and deviation, nearly normally distributed. */
export function normalChannel(mean: number, deviation: number, count = 2000): Float32Array {
  const normal = normalFrom(3);
  return Float32Array.from({ length: count }, () => mean + deviation * normal());
}

/** Pixels from 0 to 1, as the average of two: most are of a middle grey, with mean 0.5 and variance 1/24. */
export function pixels(count = 2000): Float32Array {
  const uniform = uniformFrom(5);
  return Float32Array.from({ length: count }, () => (uniform() + uniform()) / 2);
}

/** How many elements lie in each of some equal parts of a range. Those outside are in none. */
export function histogram(values: ArrayLike<number>, [from, to]: readonly [number, number], parts: number): number[] {
  const counts = new Array<number>(parts).fill(0);
  for (const value of Array.from(values)) {
    const part = Math.floor(((value - from) / (to - from)) * parts);
    if (part >= 0 && part < parts) counts[part] += 1;
    // The upper end belongs to the last part.
    else if (value === to) counts[parts - 1] += 1;
  }
  return counts;
}
