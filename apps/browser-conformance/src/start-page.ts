import { decode, type Ending, encode, type Message, messageOf, type Order, type StartPlace } from "@batchnorm/conformance";
import { launchBrowser } from "@batchnorm/in-browser";
import type { Browser, Page } from "puppeteer-core";
import { watch } from "./watch.ts";

/** What `page.ts` exports, in the page. */
declare const module: typeof import("./page.ts");

export interface PageOptions {
  /** The address of the page that has `page.ts` and the config. */
  readonly url: string;
  readonly headed: boolean;
}

/**
 * Starts a page of its own for one backend, in a browser of its own: a graphics process that was lost in one run would be lost in the
 * next, too.
 */
export function startPage({ url, headed }: PageOptions): StartPlace {
  return (order, tell) => {
    const launched = launchBrowser("chromium", { headed });
    const ended = launched.then((browser) => runInPage(browser, url, order, tell)).catch((error): Ending => ({ what: messageOf(error) }));
    return { ended, stop: () => launched.then((browser) => browser.close()).catch(() => {}) };
  };
}

/** Resolves only when the page ends before its order is carried out. */
async function runInPage(browser: Browser, url: string, order: Order, tell: (message: Message) => void): Promise<Ending> {
  const page: Page = await browser.newPage();
  const ended = watch(page, tell);
  await page.exposeFunction("announce", (text: string) => tell(decode<Message>(text)));
  await page.goto(url);
  const done = page.evaluate((text) => module.run(text), encode(order)).then(() => new Promise<never>(() => {}));
  return Promise.race([ended, done.catch((error): Ending => ({ what: `the page was left (${messageOf(error)})` }))]);
}
