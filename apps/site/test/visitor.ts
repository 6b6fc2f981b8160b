import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { launchBrowser, serveDirectory } from "@batchnorm/in-browser";
import type axe from "axe-core";
import type { Browser, Page } from "puppeteer-core";

/** How a page is looked at. */
export interface Look {
  readonly width: number;
  readonly dark: boolean;
}

export const DESKTOP: Look = { width: 1280, dark: false };
export const PHONE_AT_NIGHT: Look = { width: 360, dark: true };

/** Somebody with a browser on the built site. Whatever goes wrong while they read is in `complaints`. */
export class Visitor {
  readonly page: Page;
  readonly complaints: string[] = [];
  readonly #browser: Browser;
  readonly #site: Awaited<ReturnType<typeof serveDirectory>>;

  private constructor(browser: Browser, site: Awaited<ReturnType<typeof serveDirectory>>, page: Page) {
    this.#browser = browser;
    this.#site = site;
    this.page = page;
    page.setDefaultTimeout(20_000);
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warn") this.#complain(`the console says ${message.text()}`);
    });
    page.on("pageerror", (error) => this.#complain(String(error)));
    page.on("requestfailed", (request) => this.#complain(`${request.url()} failed: ${request.failure()?.errorText}`));
    page.on("response", (response) => {
      if (response.status() >= 400) this.#complain(`${response.url()} is ${response.status()}`);
    });
    page.on("request", (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol.startsWith("http") && origin !== new URL(site.url).origin) this.#complain(`${request.url()} is another host`);
    });
  }

  static async arrive(folder: string, base: string): Promise<Visitor> {
    const site = await serveDirectory(folder, base);
    const browser = await launchBrowser("chromium");
    return new Visitor(browser, site, await browser.newPage());
  }

  async look({ width, dark }: Look): Promise<void> {
    await this.page.setViewport({ width, height: 800 });
    await this.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
  }

  /** Opens a page of VitePress, and waits until it answers. */
  async open(path: string): Promise<void> {
    await this.load(path);
    await this.page.waitForFunction(() => "__vue_app__" in (document.querySelector("#app") ?? {}));
  }

  /** Opens any page below the base. */
  async load(path: string): Promise<void> {
    await this.page.goto(new URL(path, this.#site.url).href, { waitUntil: "networkidle0" });
  }

  /** How many pixels of the page lie beyond its right edge. */
  overflow(): Promise<number> {
    return this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  }

  /** What axe finds: contrast, names of controls, order of headings and the like. */
  async inaccessible(): Promise<string[]> {
    await this.page.evaluate(AXE);
    // The search button is VitePress's (1.6): its label leaves out the keys that stand on it.
    const { violations } = await this.page.evaluate(async () =>
      (globalThis as unknown as { axe: typeof axe }).axe.run(
        { exclude: [[".DocSearch"]] },
        { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] },
      ),
    );
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`));
  }

  /** Presses Tab until the element is focused; false where it is never reached. */
  async tabTo(selector: string, presses = 80): Promise<boolean> {
    for (let k = 0; k < presses; k++) {
      await this.page.keyboard.press("Tab");
      if (await this.page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return true;
    }
    return false;
  }

  text(selector: string): Promise<string> {
    return this.page.$eval(selector, (element) => element.textContent ?? "");
  }

  async leave(): Promise<void> {
    await this.#browser.close();
    await this.#site.close();
  }

  #complain(what: string): void {
    this.complaints.push(`${new URL(this.page.url()).pathname}: ${what}`);
  }
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
