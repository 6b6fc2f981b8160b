import type { Check } from "./checks/check.ts";

/** Milliseconds that a check may take unless one asks for another time. */
export const DEFAULT_TIMEOUT = 60_000;

/** So many checks of a clause in a row without an answer, and the others of that clause are not tried. */
const LOST_IN_A_ROW = 3;

/**
 * How long a check is waited for. A backend that hangs must not hold up the report: every time-out halves the time, down to a tenth,
 * but never below ten times the slowest check that was answered; and a clause whose checks are lost one after another is given up.
 * The run itself goes on to the end.
 */
export class Waiting {
  readonly #timeout: number;
  readonly #inARow = new Map<string, number>();
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

  answered({ clause }: Pick<Check, "clause">, duration: number): void {
    this.#inARow.delete(clause);
    this.#slowest = Math.max(this.#slowest, duration);
  }

  timedOut(check: Pick<Check, "clause">): void {
    this.#limit /= 2;
    this.lost(check);
  }

  /** The backend ended in a check. */
  lost({ clause }: Pick<Check, "clause">): void {
    this.#inARow.set(clause, (this.#inARow.get(clause) ?? 0) + 1);
  }

  /** Why a check is not tried, or null where it is. */
  givenUp({ clause }: Pick<Check, "clause">): string | null {
    const lost = this.#inARow.get(clause) ?? 0;
    return lost < LOST_IN_A_ROW ? null : `${lost} checks of clause ${clause} before it had no answer`;
  }
}
