import type { JSX } from "preact";
import { useState } from "preact/hooks";

export interface FirstFewProps<Each> {
  readonly all: readonly Each[];
  /** How many are shown at first. */
  readonly count: number;
  /** What they are, in the plural. */
  readonly what: string;
  readonly children: (shown: readonly Each[]) => JSX.Element;
}

/** The first of a list, and all others when they are asked for. */
export function FirstFew<Each>({ all, count, what, children }: FirstFewProps<Each>): JSX.Element {
  // Nobody wants to ask for a single one.
  const [whole, setWhole] = useState(all.length <= count + 1);
  return (
    <>
      {children(whole ? all : all.slice(0, count))}
      {!whole && (
        <button type="button" onClick={() => setWhole(true)}>
          Show {all.length - count} more {what}
        </button>
      )}
    </>
  );
}
