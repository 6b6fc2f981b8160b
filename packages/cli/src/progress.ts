import type { Terminal } from "./terminal.ts";

/** At most so often is the line written. */
const INTERVAL = 100;

/** A line on the terminal that says how far a command is. Nothing where stderr is a file. */
export class ProgressLine {
  readonly #terminal: Terminal;
  readonly #total: number | null;
  readonly #start: number = Date.now();
  /** What was done before: a run that goes on is no quicker for it. */
  #before: number | null = null;
  #shown = 0;

  /** @param total null where nobody knows. */
  constructor(terminal: Terminal, total: number | null) {
    this.#terminal = terminal;
    this.#total = total;
  }

  show(done: number, what: string): void {
    const now = Date.now();
    this.#before ??= Math.max(0, done - 1);
    if (!this.#terminal.isInteractive || (now - this.#shown < INTERVAL && done !== this.#total)) return;
    this.#shown = now;
    const each = (now - this.#start) / Math.max(1, done - this.#before);
    const left =
      this.#total === null ? `, ${timeOf(now - this.#start)} so far` : ` of ${this.#total}, ${timeOf(each * (this.#total - done))} left`;
    this.#terminal.err(`\r\x1b[K${what}: ${done}${left}`);
  }

  clear(): void {
    if (this.#shown > 0) this.#terminal.err("\r\x1b[K");
  }
}

function timeOf(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  return seconds < 90 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
