import type { Check } from "./checks/check.ts";

/** Which checks of the suite are to be run. Each that is given narrows it further. */
export interface Selection {
  /** A clause such as `6.1`, or a whole section such as `6`. */
  readonly only?: string | null;
  /** These, by their exact ids. Empty: all. */
  readonly checks?: readonly string[];
  /** Without the slow ones. */
  readonly quick?: boolean;
}

/** The checks that a selection leaves, in the order of the suite. */
export function select(checks: readonly Check[], { only = null, checks: ids = [], quick = false }: Selection): Check[] {
  return checks.filter(
    (check) =>
      (only === null || clauseMatches(check.clause, only)) &&
      (ids.length === 0 || ids.includes(check.id)) &&
      !(quick && check.slow === true),
  );
}

/** Whether a clause is, or lies in, what was asked for: `6` has `6.1`, `6.1` is itself alone. */
export function clauseMatches(clause: string, only: string): boolean {
  return clause === only || clause.startsWith(`${only}.`);
}
