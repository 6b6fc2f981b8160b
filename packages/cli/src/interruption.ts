/** Ctrl-C, and what else asks a process to end, as a signal: the first time. The second ends the process at once. */
export class Interruption {
  readonly #controller: AbortController = new AbortController();
  readonly #stop = (): void => this.#controller.abort();

  constructor() {
    process.once("SIGINT", this.#stop);
    process.once("SIGTERM", this.#stop);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From here on the process ends as ever. */
  end(): void {
    process.off("SIGINT", this.#stop);
    process.off("SIGTERM", this.#stop);
  }
}
