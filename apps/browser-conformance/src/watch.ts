import type { ConsoleMessage, Page } from "puppeteer-core";

/** How many things that went wrong in a page are kept. */
const KEPT = 5;

/**
 * Watches over a page from outside, for what no check can see: an error that nobody caught or that the console shows, a crash, and a
 * page that hangs, whether it waits or loops.
 */
export class Watch {
  /** Rejects when the page cannot go on. */
  readonly broken: Promise<never>;
  readonly #problems: string[] = [];
  readonly #limit: number;
  readonly #break: (reason: Error) => void;
  #when = "while it was loading";
  #clock: NodeJS.Timeout | undefined;

  /** @param limit how many seconds the page may be silent. */
  constructor(page: Page, limit: number) {
    let reject: (reason: Error) => void = () => {};
    this.broken = new Promise((_, fail) => {
      reject = fail;
    });
    // Where nobody waits for it any more, as after the last check, a crash is no unhandled rejection.
    this.broken.catch(() => {});
    this.#break = reject;
    this.#limit = limit;
    page.on("error", () => this.#break(new Error(`The page crashed ${this.#when}; nothing ran after that.`)));
    page.on("pageerror", (error) => this.#note("An error was not caught", error instanceof Error ? error.message : String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.#note("The console shows an error", consoleText(message));
    });
    this.heard(this.#when);
  }

  /** What went wrong and did not end the run. */
  get problems(): readonly string[] {
    const more = this.#problems.length - KEPT;
    return more > 0 ? [...this.#problems.slice(0, KEPT), `The page had ${more} more such errors.`] : this.#problems;
  }

  /** Starts the clock again: the page has said how far it is, such as `while inference/rank2 ran`. */
  heard(when: string): void {
    this.#when = when;
    clearTimeout(this.#clock);
    const silence = `Nothing was heard from the page for ${this.#limit} s ${when}; nothing ran after that.`;
    this.#clock = setTimeout(() => this.#break(new Error(silence)), this.#limit * 1000);
  }

  stop(): void {
    clearTimeout(this.#clock);
  }

  #note(what: string, text: string): void {
    this.#problems.push(`${what} ${this.#when}: ${text}`);
  }
}

/** The text, and for what could not be fetched, which the text leaves out, the address. */
function consoleText(message: ConsoleMessage): string {
  const { url } = message.location();
  return url === undefined || !message.text().startsWith("Failed to load resource") ? message.text() : `${message.text()} (${url})`;
}
