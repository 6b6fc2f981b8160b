import type { Check, Failure } from "../checks/check.ts";
import { type Deviation, deviationProblems, deviationsOf, judge } from "../deviations.ts";
import type { PropertyOptions } from "../properties/property.ts";
import { type BackendResult, type CaseResult, collectResult } from "../report.ts";
import { lateness, lostCheck, notRun, skippedBy } from "../run.ts";
import type { Progress } from "../suite.ts";
import { Waiting } from "../waiting.ts";
import type { Message, OpenedBackend, Order } from "./messages.ts";

/** Where one backend runs by itself: a process, or a page. It is told what to do when it is started. */
export interface Place {
  /** Resolves when it has ended by itself. */
  readonly ended: Promise<Ending>;
  /** Ends it, whatever it does. */
  stop(): Promise<void>;
}

/** How a place came to its end. */
export interface Ending {
  /** Words that go on with `while ... ran`, such as `the process ended with exit code 1`. */
  readonly what: string;
  /** What it wrote about that. */
  readonly detail?: string;
}

/** Starts a place for an order. `tell` gets its messages in the order in which they were sent, and all of them before `ended`. */
export type StartPlace = (order: Order, tell: (message: Message) => void) => Place;

export interface BackendRunOptions {
  /** The names of the backends that are to be run; empty for all. */
  readonly backends: readonly string[];
  /** The whole suite, and what of it is to be run. */
  readonly suite: readonly Check[];
  readonly selected: readonly Check[];
  readonly properties: PropertyOptions;
  /** Besides those of the config. */
  readonly deviations: readonly Deviation[];
  /** Milliseconds that one check may take. */
  readonly timeout: number;
  /** Whether results have what the backend gave. */
  readonly outputs: boolean;
  readonly onProgress: (progress: Progress) => void;
}

/** What became of one backend of the config. */
export interface BackendRun {
  /** How many backends the config has; null where it could not be loaded. */
  readonly count: number | null;
  /** Why nothing at all can be run, and what a loader says of it. */
  readonly refused: { readonly why: string; readonly detail?: string } | null;
  /** Null where the backend could not be made. */
  readonly name: string | null;
  /** Those of the config and of the options. */
  readonly deviations: readonly Deviation[];
  /** Null for a backend that is not to be run. */
  readonly result: BackendResult | null;
}

/**
 * Takes one backend of a config through checks, in a place of its own. Where that ends or hangs, the check that ran has failed, and a
 * new place goes on with the next one: there is a result for every check, whatever the backend does.
 */
export async function runBackend(start: StartPlace, index: number, options: BackendRunOptions): Promise<BackendRun> {
  const run = new Run(index, options);
  for (let left = options.selected.length + 1; run.left().length < left; ) {
    // Each place has to get further than the one before, or there would be no end.
    left = run.left().length;
    if (!(await run.inPlace(start))) break;
  }
  return run.finish();
}

/** Milliseconds for a place that says that nothing is left to run, should it be wrong. */
const IDLE = 2000;

/** How many things that were noticed outside of checks are kept. */
const KEPT = 5;

type Lost = Ending & { readonly how: NonNullable<CaseResult["lost"]> };

class Run {
  readonly #index: number;
  readonly #options: BackendRunOptions;
  readonly #waiting: Waiting;
  readonly #results = new Map<string, CaseResult>();
  readonly #problems: string[] = [];
  readonly #noticed: string[] = [];
  readonly #started: number = performance.now();
  #count: number | null = null;
  #refused: BackendRun["refused"] = null;
  #deviations: readonly Deviation[];
  #opened: OpenedBackend | null = null;
  /** The check that runs, since when, and the errors that nobody caught meanwhile. */
  #current: Check | null = null;
  #since = 0;
  #uncaught: Failure[] = [];
  /** What the place does, in words; null where there is none. */
  #when: string | null = null;
  #clock: ReturnType<typeof setTimeout> | undefined;
  /** Ends the wait for a place: with null where it has done what it can. */
  #leave: (lost: Lost | null) => void = () => {};

  constructor(index: number, options: BackendRunOptions) {
    this.#index = index;
    this.#options = options;
    this.#waiting = new Waiting(options.timeout);
    this.#deviations = options.deviations;
  }

  /** The checks that have no result yet. */
  left(): Check[] {
    return this.#options.selected.filter(({ id }) => !this.#results.has(id));
  }

  /** Everything that one place does, from its start to its end. Gives whether another may go on with what is left. */
  async inPlace(start: StartPlace): Promise<boolean> {
    const { backends, properties, outputs, timeout } = this.#options;
    const order: Order = { index: this.#index, backends, properties, outputs, checks: this.left().map(({ id }) => id) };
    const waited = new Promise<Lost | null>((resolve) => {
      this.#leave = resolve;
    });
    this.#wait("while the module was loaded", timeout);
    const place = start(order, (message) => this.#receive(message));
    place.ended.then((ending) => this.#leave({ ...ending, how: "crashed" }));
    const lost = await waited;
    clearTimeout(this.#clock);
    if (lost !== null) this.#lose(lost);
    // What still comes from it comes too late.
    this.#when = null;
    await place.stop();
    return lost !== null && this.#opened !== null;
  }

  finish(): BackendRun {
    const { selected } = this.#options;
    const opened = this.#opened;
    const known = { count: this.#count, refused: this.#refused, deviations: this.#deviations, name: opened?.name ?? null };
    if (this.#refused !== null || opened?.wanted === false) return { ...known, result: null };
    const reason = opened === null ? "the backend could not be made" : "the backend had ended before";
    for (const check of this.left()) this.#record(notRun(check, reason));
    const cases = selected.map(({ id }) => this.#results.get(id)!);
    const problems = [...this.#problems, ...this.#noticed.slice(0, KEPT), ...this.#problemsOfList()];
    if (this.#noticed.length > KEPT) problems.push(`There were ${this.#noticed.length - KEPT} more such errors.`);
    const duration = performance.now() - this.#started;
    const supports = opened?.supports ?? null;
    return { ...known, result: collectResult({ backend: this.#name, supports, cases, problems, duration }, selected) };
  }

  get #name(): string {
    return this.#opened?.name ?? `backend ${this.#index + 1}`;
  }

  #receive(message: Message): void {
    const { timeout } = this.#options;
    if (this.#when === null) return;
    if (message.kind === "loaded") {
      this.#count = message.backends;
      this.#deviations = [...message.deviations, ...this.#options.deviations];
      this.#wait("while the backend was made", timeout);
    } else if (message.kind === "opened") {
      this.#opened = message.backend;
      this.#wait("while the suite was loaded", timeout);
      if (!message.backend.wanted) this.#leave(null);
    } else if (message.kind === "started") {
      this.#current = this.#options.selected.find(({ id }) => id === message.id)!;
      this.#since = performance.now();
      this.#wait(`while ${message.id} ran`, this.#waiting.limit);
    } else if (message.kind === "finished") {
      this.#finishCheck(message.result);
      this.#wait(`after ${message.result.id}`, timeout);
    } else if (message.kind === "idle") {
      this.#wait(this.#when, IDLE, "the backend never answers: nothing was left to run that could have");
    } else if (message.kind === "uncaught") {
      this.#catch(message.why, message.detail);
    } else if (message.kind === "noticed") {
      this.#noticed.push(`${message.what} (${this.#when})`);
    } else {
      if (message.kind === "refused") this.#refused = message;
      if (message.kind === "failed") this.#problems.push(withDetail(message.why, message.detail));
      this.#leave(null);
    }
  }

  /** Says what the place does next, and starts the clock for it. */
  #wait(when: string, limit: number, silence: string = lateness(limit)): void {
    this.#when = when;
    clearTimeout(this.#clock);
    this.#clock = setTimeout(() => this.#leave({ how: "timed out", what: silence }), limit);
  }

  #finishCheck(result: CaseResult): void {
    const check = this.#current;
    if (check === null) return;
    if (result.status !== "not-run") this.#waiting.answered(check, result.duration);
    this.#end(withUncaught(result, this.#uncaught));
  }

  /** The place has ended, or was given up. */
  #lose({ how, what, detail }: Lost): void {
    const check = this.#current;
    if (check === null) {
      this.#problems.push(withDetail(`${capitalize(what)} ${this.#when}.`, detail));
      return;
    }
    if (how === "timed out") this.#waiting.timedOut(check);
    else this.#waiting.lost(check);
    const failure: Failure = { message: `clause ${check.clause}: ${what}.`, ...(detail !== undefined && { stack: detail }) };
    this.#end(withUncaught(lostCheck(check, how, failure, performance.now() - this.#since), this.#uncaught));
    for (const other of this.left()) {
      const reason = this.#waiting.givenUp(other);
      if (reason !== null) this.#record(notRun(other, reason));
    }
  }

  #catch(why: string, detail: string | undefined): void {
    if (this.#current === null) this.#noticed.push(withDetail(`An error was not caught ${this.#when}: ${why}`, detail));
    else this.#uncaught.push(uncaughtFailure(this.#current, why, detail));
  }

  #end(result: CaseResult): void {
    this.#current = null;
    this.#uncaught = [];
    this.#record(result);
  }

  #record(result: CaseResult): void {
    const last = judge(result, deviationsOf(this.#name, this.#deviations));
    this.#results.set(result.id, last);
    const { selected, onProgress } = this.#options;
    onProgress({ backend: this.#name, done: this.#results.size, total: selected.length, last });
  }

  #problemsOfList(): string[] {
    if (this.#opened === null) return [];
    const { supports, problems } = this.#opened;
    const { suite } = this.#options;
    const skipped = supports === null ? new Map<string, string>() : skippedBy(suite, supports);
    return [...problems, ...deviationProblems(deviationsOf(this.#name, this.#deviations), suite, skipped)];
  }
}

function uncaughtFailure({ clause }: Check, why: string, detail: string | undefined): Failure {
  return { message: `clause ${clause}: an error was not caught: ${why}`, ...(detail !== undefined && { stack: detail }) };
}

/** An error that nobody caught fails the check in which it came up. */
function withUncaught(result: CaseResult, uncaught: readonly Failure[]): CaseResult {
  if (uncaught.length === 0) return result;
  // One fault often comes up many times.
  const different = uncaught.filter(({ message }, index) => uncaught.findIndex((each) => each.message === message) === index);
  const failures = [...different.slice(0, KEPT), ...result.failures];
  return { ...result, status: "failed", failures, failureCount: result.failureCount + uncaught.length };
}

/** A problem is a sentence, and what it comes from are the lines after it. */
function withDetail(sentence: string, detail: string | undefined): string {
  return detail === undefined ? sentence : `${sentence}\n${detail}`;
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
