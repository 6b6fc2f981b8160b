import type { Check } from "./checks/check.ts";

/** Milliseconds that a check may take unless one asks for another time. */
export const DEFAULT_TIMEOUT = 60_000;

/** So many lost checks of a clause have to be alike before those that are like them are given up. */
const ENOUGH = 3;

type Kind = Pick<Check, "clause" | "traits">;

/**
 * How long a check is waited for, and which are not worth it. A backend that hangs must not hold up the report: every time-out halves
 * the time, down to a tenth, but not below ten times what the slowest answered check took; and where checks of a clause have had no
 * answer, those of that clause with the same traits are given up unless one like them was answered. All others are tried.
 */
export class Waiting {
  readonly #timeout: number;
  readonly #lost = new Map<string, ReadonlySet<string>[]>();
  readonly #answered = new Map<string, ReadonlySet<string>[]>();
  #limit: number;
  #slowest = 0;

  constructor(timeout: number) {
    this.#timeout = timeout;
    this.#limit = timeout;
  }

  /** Milliseconds for the next check. */
  get limit(): number {
    return Math.min(this.#timeout, Math.max(this.#limit, this.#timeout / 10, 10 * this.#slowest));
  }

  answered(check: Kind, duration: number): void {
    add(this.#answered, check);
    this.#slowest = Math.max(this.#slowest, duration);
  }

  timedOut(check: Kind): void {
    this.#limit /= 2;
    this.lost(check);
  }

  /** The backend ended in a check. */
  lost(check: Kind): void {
    add(this.#lost, check);
  }

  /** Why a check is not tried, or null where it is. */
  givenUp({ clause, traits = [] }: Kind): string | null {
    const lost = this.#lost.get(clause) ?? [];
    if (lost.length < ENOUGH) return null;
    const common = [...lost[0]].filter((trait) => lost.every((each) => each.has(trait)));
    const alike = (each: ReadonlySet<string>): boolean => common.every((trait) => each.has(trait));
    if (!alike(new Set(traits)) || (this.#answered.get(clause) ?? []).some(alike)) return null;
    return `checks ${common.length === 0 ? "" : "like it "}of clause ${clause} had no answer`;
  }
}

function add(to: Map<string, ReadonlySet<string>[]>, { clause, traits = [] }: Kind): void {
  to.set(clause, [...(to.get(clause) ?? []), new Set(traits)]);
}
