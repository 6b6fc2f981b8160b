import type { Matrix } from "@batchnorm/conformance/matrix";
import { readMatrix } from "@batchnorm/conformance/matrix";
import type { Browser, Page } from "puppeteer-core";

/** Milliseconds. A page that has lost its GPU may draw no frames, which are what is waited for otherwise. */
const POLLING = 100;

/** What a visitor of the site does, in a page of its own. */
export class Visitor {
  readonly page: Page;
  /** What the console shows as an error, and what nobody caught. */
  readonly errors: string[] = [];
  /** Every address that was asked for. */
  readonly requests: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.errors.push(String(error)));
    page.on("console", (message) => message.type() === "error" && this.errors.push(message.text()));
    page.on("request", (request) => this.requests.push(request.url()));
  }

  static async open(browser: Browser, url: string): Promise<Visitor> {
    const visitor = new Visitor(await browser.newPage());
    await visitor.page.goto(url);
    await visitor.page.waitForSelector("fieldset:not(:disabled)");
    return visitor;
  }

  /** The text beside each backend that cannot be chosen, by its name. */
  lacking(): Promise<Record<string, string>> {
    return this.page.$$eval("label.backend:has(input:disabled) span", (all) =>
      Object.fromEntries(all.map((each) => [each.firstChild!.textContent, each.querySelector("small")!.textContent])),
    );
  }

  /** Chooses these, and no other, and starts. `Quick` is one of them. */
  async run(...wanted: readonly string[]): Promise<void> {
    await this.page.$$eval(
      "label.backend",
      (labels, names) => {
        for (const label of labels) {
          const input = label.querySelector("input")!;
          if (input.checked !== names.includes(label.querySelector("span")!.firstChild!.textContent!)) input.click();
        }
      },
      wanted,
    );
    await this.page.$eval('button[type="submit"]', (button) => (button as HTMLButtonElement).click());
  }

  async cancel(): Promise<void> {
    await (await this.page.waitForSelector("form button[type=button]:not(:disabled)"))!.click();
  }

  /** Waits until so many checks of the backend that runs are done. */
  async progress(checks: number, timeout: number): Promise<void> {
    await this.page.waitForFunction(
      (least) => [...document.querySelectorAll("progress")].some((each) => each.value >= least),
      { timeout, polling: POLLING },
      checks,
    );
  }

  /** The result file, as the link gives it. */
  async result(timeout: number): Promise<Matrix> {
    await this.page.waitForFunction(() => document.querySelector("a[download][href^=blob]"), { timeout, polling: POLLING });
    return readMatrix(await this.page.$eval("a[download]", async (link) => (await fetch((link as HTMLAnchorElement).href)).text()));
  }
}
