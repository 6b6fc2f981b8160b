import type { Check, Failure } from "../checks/check.ts";
import { collectResult } from "../collect-result.ts";
import { type Deviation, deviationProblems, deviationsOf, judge } from "../deviations.ts";
import type { BackendResult, CaseResult } from "../report.ts";
import { notRun, skippedBy } from "../run.ts";
import type { Progress } from "../suite.ts";
import type { OpenedBackend } from "./messages.ts";

export interface ResultsOptions {
  /** The whole suite, and what of it is to be run. */
  readonly suite: readonly Check[];
  readonly selected: readonly Check[];
  readonly onProgress: (progress: Progress) => void;
}

/** How many errors that nobody caught are kept: of a check, and of what comes between checks. */
const KEPT = 5;

/** What becomes of the checks of one backend, whatever becomes of the places that it runs in. */
export class Results {
  readonly #options: ResultsOptions;
  readonly #results = new Map<string, CaseResult>();
  readonly #problems: string[] = [];
  readonly #noticed: string[] = [];
  readonly #started: number = performance.now();
  /** What the backend is called until it has told its name. */
  readonly #standIn: string;
  opened: OpenedBackend | null = null;
  deviations: readonly Deviation[];

  constructor(standIn: string, deviations: readonly Deviation[], options: ResultsOptions) {
    this.#standIn = standIn;
    this.deviations = deviations;
    this.#options = options;
  }

  /** The checks that have no result yet. */
  get left(): Check[] {
    return this.#options.selected.filter(({ id }) => !this.#results.has(id));
  }

  /** @param uncaught the errors that nobody caught in the check: they fail it. */
  record(result: CaseResult, uncaught: readonly Failure[] = []): void {
    const last = judge(withUncaught(result, uncaught), deviationsOf(this.#name, this.deviations));
    this.#results.set(result.id, last);
    const { selected, onProgress } = this.#options;
    onProgress({ backend: this.#name, done: this.#results.size, total: selected.length, last });
  }

  /** Something that is wrong with the run. What it comes from are the lines after the sentence. */
  problem(sentence: string, detail?: string): void {
    this.#problems.push(withDetail(sentence, detail));
  }

  /** The same of what may come up again and again. */
  notice(sentence: string, detail?: string): void {
    this.#noticed.push(withDetail(sentence, detail));
  }

  /** The whole result; what has none is not run. */
  collect(): BackendResult {
    const reason = this.opened === null ? "the backend could not be made" : "the backend had ended before";
    for (const check of this.left) this.record(notRun(check, reason));
    const { selected } = this.#options;
    const more = this.#noticed.length - KEPT;
    return collectResult(
      {
        backend: this.#name,
        supports: this.opened?.supports ?? null,
        cases: selected.map(({ id }) => this.#results.get(id)!),
        problems: [
          ...this.#problems,
          ...this.#noticed.slice(0, KEPT),
          ...(more > 0 ? [`There were ${more} more such errors.`] : []),
          ...this.#problemsOfBackend(),
        ],
        duration: performance.now() - this.#started,
      },
      selected,
    );
  }

  get #name(): string {
    return this.opened?.name ?? this.#standIn;
  }

  /** What is wrong with what the backend says of itself, and with the deviations that are listed for it. */
  #problemsOfBackend(): string[] {
    if (this.opened === null) return [];
    const { supports, problems } = this.opened;
    const { suite } = this.#options;
    const skipped = supports === null ? new Map<string, string>() : skippedBy(suite, supports);
    return [...problems, ...deviationProblems(deviationsOf(this.#name, this.deviations), suite, skipped)];
  }
}

function withUncaught(result: CaseResult, uncaught: readonly Failure[]): CaseResult {
  if (uncaught.length === 0) return result;
  // One fault often comes up many times.
  const different = uncaught.filter(({ message }, index) => uncaught.findIndex((each) => each.message === message) === index);
  const failures = [...different.slice(0, KEPT), ...result.failures];
  // In which of many layers they came up, nobody knows.
  const { trials: _, ...others } = result;
  return { ...others, status: "failed", failures, failureCount: result.failureCount + uncaught.length };
}

function withDetail(sentence: string, detail: string | undefined): string {
  return detail === undefined ? sentence : `${sentence}\n${detail}`;
}
