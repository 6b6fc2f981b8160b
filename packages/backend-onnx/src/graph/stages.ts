/**
 * How an axis is summed. A float32 sum of n terms in a row may lose n roundings, one in stages only as many as the
 * stages are long (docs/spec.md, clause 12.3): of a million terms, 62500 sums of 16, and the sum of those. `padding`
 * zeros behind the axis make its length the product of the factors, and each factor is a stage.
 */
export interface Stages {
  /** The last one belongs to the elements that lie closest. */
  readonly factors: readonly number[];
  readonly padding: number;
}

/** What a graph has to know of it; the lengths themselves only a run knows. */
export interface StageShape {
  readonly count: number;
  readonly padded: boolean;
}

export function shapeOf({ factors, padding }: Stages): StageShape {
  return { count: factors.length, padded: padding > 0 };
}

/** One stage: the axis as it is. */
export function wholeAxis(length: number): Stages {
  return { factors: [length], padding: 0 };
}

/** Blocks of at most so many terms, and as many of them as it takes. */
export function blocksOf(length: number, longest: number): Stages {
  if (length <= longest) return wholeAxis(length);
  const block = blockLength(length, longest);
  const count = Math.ceil(length / block);
  return { factors: [count, block], padding: count * block - length };
}

/** Blocks of blocks, until no stage has more terms than that. */
export function stagesOf(length: number, longest: number): Stages {
  const { factors, padding } = blocksOf(length, longest);
  if (factors.length === 1) return { factors, padding };
  const [count, block] = factors;
  const rest = stagesOf(count, longest);
  return { factors: [...rest.factors, block], padding: padding + rest.padding * block };
}

/**
 * Of the lengths that are not much shorter than the longest, the one that wants the least padding, which costs a copy
 * of everything.
 */
function blockLength(length: number, longest: number): number {
  const padding = (block: number): number => Math.ceil(length / block) * block - length;
  let best = longest;
  for (let block = best; block > longest / 5; block--) if (padding(block) < padding(best)) best = block;
  return best;
}
