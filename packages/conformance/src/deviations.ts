import type { Check, Failure, Outcome } from "./checks/check.ts";
import type { CaseResult } from "./report.ts";
import { OUTPUTS, type OutputName } from "./vectors/format.ts";

/**
 * A failure that a backend is known to have: of which check, what of it, and why. It excuses that and nothing else: another fault of
 * the same check fails.
 */
export interface Deviation {
  /** The backend's name; without it, every backend of the run. */
  readonly backend?: string;
  /** The exact id of the check. */
  readonly id: string;
  readonly reason: string;
  /** Excuses wrong numbers of this output. */
  readonly output?: OutputName;
  /** With `output`: up to so many times the bound. Without it, however wrong they are. */
  readonly share?: number;
  /** Excuses failures whose message has this text in it. */
  readonly message?: string;
}

/** What a list of deviations has to be, as a part of a sentence. */
export const DEVIATIONS_FORM = "a list of { id, reason, output or message, share?, backend? }, with nothing else in it";

/** Whether a value is a list of deviations: complete ones, with nothing misspelt. */
export function isDeviations(value: unknown): value is readonly Deviation[] {
  return Array.isArray(value) && value.every(isDeviation);
}

function isDeviation(value: unknown): value is Deviation {
  if (typeof value !== "object" || value === null) return false;
  const { id, reason, backend, output, share, message } = value as Record<keyof Deviation, unknown>;
  const isText = (each: unknown): boolean => typeof each === "string" && each.trim().length > 0;
  return (
    isText(id) &&
    isText(reason) &&
    (backend === undefined || isText(backend)) &&
    (output === undefined ? message !== undefined && share === undefined : (OUTPUTS as readonly unknown[]).includes(output)) &&
    (message === undefined || isText(message)) &&
    (share === undefined || (typeof share === "number" && share > 1)) &&
    Object.keys(value).every((key) => ["id", "reason", "backend", "output", "share", "message"].includes(key))
  );
}

/** The deviations that are listed for a backend of this name. */
export function deviationsOf(backend: string, deviations: readonly Deviation[]): Deviation[] {
  return deviations.filter((each) => each.backend === undefined || each.backend === backend);
}

/**
 * The result in the light of what the backend is known to do: a failure that is listed, whole, is a known deviation; an entry that
 * excuses nothing fails, and so does a failure that no entry excuses.
 *
 * @param deviations those of this backend; the ones of other checks are passed over.
 */
export function judge(result: CaseResult, deviations: readonly Deviation[]): CaseResult {
  const listed = deviations.filter(({ id }) => id === result.id);
  if (listed.length === 0 || (result.status !== "passed" && result.status !== "failed")) return result;
  const unlisted = result.failures.filter((failure) => !listed.some((entry) => excuses(entry, failure)));
  const stale = listed
    .filter((entry) => !result.failures.some((failure) => excuses(entry, failure)))
    .map(
      (entry): Failure => ({
        message: `It is listed as a deviation (${entry.reason}) for ${describe(entry)}, which did not happen: take it off the list.`,
      }),
    );
  if (unlisted.length === 0 && stale.length === 0 && isComplete(result)) {
    return { ...result, status: "xfailed", reason: [...new Set(listed.map(({ reason }) => reason))].join("; ") };
  }
  const failures = unlisted.length + stale.length > 0 ? [...unlisted, ...stale] : result.failures;
  return { ...result, status: "failed", failures, failureCount: Math.max(failures.length, unlisted.length > 0 ? result.failureCount : 0) };
}

/** What is wrong with a list for one backend: ids that are no check's, or a check's that is skipped. */
export function deviationProblems(
  deviations: readonly Deviation[],
  checks: readonly Check[],
  skipped: ReadonlyMap<string, string>,
): string[] {
  const ids = new Set(checks.map(({ id }) => id));
  return deviations.flatMap(({ id }) => {
    const reason = skipped.get(id);
    if (reason !== undefined) return [`The deviation ${id} names a check that is skipped (${reason}): take it off the list.`];
    return ids.has(id) ? [] : [`The deviation ${id} names no check: correct it or take it off the list.`];
  });
}

/** The deviations whose backend is none of these: misspelt, or left over. */
export function foreignDeviations(deviations: readonly Deviation[], backends: readonly string[]): string[] {
  return deviations
    .filter(({ backend }) => backend !== undefined && !backends.includes(backend))
    .map(({ id, backend }) => `The deviation ${id} names the backend ${backend}, expected one of ${backends.join(", ")}.`);
}

function excuses({ output, share, message }: Deviation, failure: Failure): boolean {
  if (message !== undefined && !failure.message.includes(message)) return false;
  return output === undefined || (failure.output === output && (share === undefined || (failure.share ?? 0) <= share));
}

/** Numbers stand for all others of their output; sentences that were left out stand for themselves. */
function isComplete({ failures, failureCount }: Pick<Outcome, "failures" | "failureCount">): boolean {
  return failures.length === failureCount || failures.some(({ output }) => output !== undefined);
}

function describe({ output, share, message }: Deviation): string {
  const numbers = output === undefined ? [] : [`a wrong ${output}${share === undefined ? "" : ` of up to ${share} times the bound`}`];
  const text = message === undefined ? [] : [`a failure that says "${message}"`];
  return [...numbers, ...text].join(" and ");
}
