import type { Feeds, RuntimeTensor } from "./runtime.ts";
import { valuesOf } from "./runtime.ts";

/** An output of two models on the same inputs. */
export interface OutputDifference {
  readonly output: string;
  readonly elements: number;
  /**
   * The largest magnitude in the first, and the largest difference of the two; null for an output that is not made of
   * numbers.
   */
  readonly largest: number | null;
  readonly difference: number | null;
}

/** How far the outputs of two runs are apart. */
export function outputDifferences(names: readonly string[], before: Feeds, after: Feeds): OutputDifference[] {
  return names.map((output) => {
    const [a, b] = [numbersOf(before[output]), numbersOf(after[output])];
    if (a === null || b === null || a.length !== b.length) return { output, elements: a?.length ?? 0, largest: null, difference: null };
    let [largest, difference] = [0, 0];
    for (let k = 0; k < a.length; k++) {
      largest = Math.max(largest, Math.abs(a[k]));
      if (Object.is(a[k], b[k])) continue;
      const apart = Math.abs(a[k] - b[k]);
      difference = Math.max(difference, Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart);
    }
    return { output, elements: a.length, largest, difference };
  });
}

function numbersOf(tensor: RuntimeTensor | undefined): ArrayLike<number> | null {
  if (tensor === undefined) return null;
  const values = valuesOf(tensor);
  if (values !== null) return values.data;
  const { data } = tensor;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Array.from(data, Number);
  return ArrayBuffer.isView(data) ? (data as unknown as ArrayLike<number>) : null;
}
