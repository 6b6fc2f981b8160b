import type { Check, Failure } from "../checks/check.ts";
import type { Deviation } from "../deviations.ts";
import type { PropertyOptions } from "../properties/property.ts";
import type { BackendResult, CaseResult } from "../report.ts";
import { lateness, lostCheck, notRun } from "../run.ts";
import { DEFAULT_TIMEOUT, Waiting } from "../waiting.ts";
import type { Message, Order } from "./messages.ts";
import type { Ending, StartPlace } from "./place.ts";
import { Results, type ResultsOptions } from "./results.ts";

export interface BackendRunOptions extends ResultsOptions {
  /** The names of the backends that are to be run; empty for all. */
  readonly backends: readonly string[];
  readonly properties: PropertyOptions;
  /** Besides those of the config. */
  readonly deviations: readonly Deviation[];
  /** Milliseconds that one check may take. */
  readonly timeout: number;
  /** Whether results have what the backend gave. */
  readonly outputs: boolean;
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
  for (let left = options.selected.length + 1; run.left < left; ) {
    // Each place has to get further than the one before, or there would be no end.
    left = run.left;
    if (!(await run.inPlace(start))) break;
  }
  return run.finish();
}

/** Milliseconds for a place that says that nothing is left to run, should it be wrong. */
const IDLE = 2000;

/** A browser, or a runtime in another language, takes longer to start than a check to run: who gives checks little time means them. */
function startLimit(timeout: number): number {
  return Math.max(timeout, DEFAULT_TIMEOUT);
}

type Lost = Ending & { readonly how: NonNullable<CaseResult["lost"]> };

class Run {
  readonly #index: number;
  readonly #options: BackendRunOptions;
  readonly #waiting: Waiting;
  readonly #results: Results;
  #count: number | null = null;
  #refused: BackendRun["refused"] = null;
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
    this.#results = new Results(`backend ${index + 1}`, options.deviations, options);
  }

  get left(): number {
    return this.#results.left.length;
  }

  /** Everything that one place does, from its start to its end. Gives whether another may go on with what is left. */
  async inPlace(start: StartPlace): Promise<boolean> {
    const { backends, properties, outputs, timeout } = this.#options;
    const checks = this.#results.left.map(({ id }) => id);
    const order: Order = { index: this.#index, backends, properties, outputs, checks };
    const waited = new Promise<Lost | null>((resolve) => {
      this.#leave = resolve;
    });
    this.#wait("while the module was loaded", startLimit(timeout));
    const place = start(order, (message) => this.#receive(message));
    place.ended.then((ending) => this.#leave({ ...ending, how: "crashed" }));
    const lost = await waited;
    clearTimeout(this.#clock);
    if (lost !== null) this.#lose(lost);
    // What still comes from it comes too late.
    this.#when = null;
    await place.stop();
    return lost !== null && lost.final !== true && this.#results.opened !== null;
  }

  finish(): BackendRun {
    const { opened, deviations } = this.#results;
    const isOut = this.#refused !== null || opened?.wanted === false;
    return {
      count: this.#count,
      refused: this.#refused,
      deviations,
      name: opened?.name ?? null,
      result: isOut ? null : this.#results.collect(),
    };
  }

  #receive(message: Message): void {
    const { timeout } = this.#options;
    if (this.#when === null) return;
    if (message.kind === "loaded") {
      this.#count = message.backends;
      this.#results.deviations = [...message.deviations, ...this.#options.deviations];
      this.#wait("while the backend was made", startLimit(timeout));
    } else if (message.kind === "opened") {
      this.#results.opened = message.backend;
      this.#wait("while the suite was loaded", startLimit(timeout));
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
      this.#results.notice(`${message.what} (${this.#when})`);
    } else {
      if (message.kind === "refused") this.#refused = message;
      if (message.kind === "failed") this.#results.problem(message.why, message.detail);
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
    this.#end(result);
  }

  /** The place has ended, or was given up. */
  #lose({ how, what, detail }: Lost): void {
    const check = this.#current;
    if (check === null) {
      this.#results.problem(`${capitalize(what)} ${this.#when}.`, detail);
      return;
    }
    if (how === "timed out") this.#waiting.timedOut(check);
    else this.#waiting.lost(check);
    this.#end(lostCheck(check, how, failureOf(check, `${what}.`, detail), performance.now() - this.#since));
    for (const other of this.#results.left) {
      const reason = this.#waiting.givenUp(other);
      if (reason !== null) this.#results.record(notRun(other, reason));
    }
  }

  #catch(why: string, detail: string | undefined): void {
    if (this.#current === null) this.#results.notice(`An error was not caught ${this.#when}: ${why}`, detail);
    else this.#uncaught.push(failureOf(this.#current, `an error was not caught: ${why}`, detail));
  }

  #end(result: CaseResult): void {
    this.#results.record(result, this.#uncaught);
    this.#current = null;
    this.#uncaught = [];
  }
}

function failureOf({ clause }: Check, what: string, detail: string | undefined): Failure {
  return { message: `clause ${clause}: ${what}`, ...(detail !== undefined && { stack: detail }) };
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
