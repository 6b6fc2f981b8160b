import type { Terminal } from "./terminal.ts";

/** At most so often is the line written. */
const INTERVAL = 100;

/** A line on the terminal that says how far a command is. Nothing where stderr is a file. */
export class ProgressLine {
  readonly #terminal: Terminal;
  readonly #total: number;
  readonly #start: number = Date.now();
  #shown = 0;

  constructor(terminal: Terminal, total: number) {
    this.#terminal = terminal;
    this.#total = total;
  }

  show(done: number, what: string): void {
    const now = Date.now();
    if (!this.#terminal.isInteractive || (now - this.#shown < INTERVAL && done < this.#total)) return;
    this.#shown = now;
    const left = done === 0 ? "" : `, ${timeOf(((now - this.#start) / done) * (this.#total - done))} left`;
    this.#terminal.err(`\r\x1b[K${what}: ${done} of ${this.#total}${left}`);
  }

  clear(): void {
    if (this.#shown > 0) this.#terminal.err("\r\x1b[K");
  }
}

function timeOf(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  return seconds < 90 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
