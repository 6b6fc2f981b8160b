import { type BackendResult, type CaseResult, collectResult, type Progress } from "@batchnorm/conformance";
import type { Browser, Page } from "puppeteer-core";
import { decode, type PageRunOptions } from "./protocol.ts";
import { Watch } from "./watch.ts";

export interface BackendRunOptions extends PageRunOptions {
  /** The names of the backends that shall run, or none for all. */
  readonly backends: readonly string[];
  /** How many seconds one check may take. */
  readonly timeout: number;
  readonly onProgress: (progress: Progress) => void;
}

/** What became of one backend of the config. */
export interface BackendRun {
  /** How many backends the config has; null when it could not be loaded. */
  readonly count: number | null;
  /** Null when the backend could not be made. */
  readonly name: string | null;
  /** Null for a backend that shall not run. */
  readonly result: BackendResult | null;
}

/**
 * Takes one backend of the config through the suite. What the backend or the page does wrong is in the result, with the checks that
 * were done before it.
 */
export async function runBackend(browser: Browser, url: string, index: number, options: BackendRunOptions): Promise<BackendRun> {
  const page = await browser.newPage();
  const watch = new Watch(page, options.timeout);
  const cases: CaseResult[] = [];
  const problems: string[] = [];
  let count: number | null = null;
  let name: string | null = null;
  const talk = async (): Promise<void> => {
    await page.goto(url);
    count = await page.evaluate(() => globalThis.conformance.load());
    watch.heard("while the backend was made");
    name = await page.evaluate((place) => globalThis.conformance.open(place), index);
    if (!isWanted(name, options.backends)) return;
    watch.heard("while the suite was loaded");
    await listen(page, name, cases, watch, options.onProgress);
    const { only, properties } = options;
    problems.push(...(await page.evaluate((run) => globalThis.conformance.run(run), { only, properties })));
  };
  try {
    await Promise.race([talk(), watch.broken]);
  } catch (error) {
    problems.push(withoutFrames((error as Error).message, url));
  } finally {
    watch.stop();
  }
  const result = collectResult(name ?? `backend ${index + 1}`, cases, [...problems, ...watch.problems]);
  return { count, name, result: name === null || isWanted(name, options.backends) ? result : null };
}

/** Gathers what the page announces. */
async function listen(
  page: Page,
  backend: string,
  cases: CaseResult[],
  watch: Watch,
  onProgress: (progress: Progress) => void,
): Promise<void> {
  await page.exposeFunction("announce", (text: string) => {
    const announcement = decode(text);
    if ("started" in announcement) {
      watch.heard(`while ${announcement.started} ran`);
      return;
    }
    const { done, total, result } = announcement;
    watch.heard(`after ${result.id}`);
    cases.push(result);
    onProgress({ backend, done, total, last: result });
  });
}

function isWanted(name: string, backends: readonly string[]): boolean {
  return backends.length === 0 || backends.includes(name);
}

/** puppeteer-core 25.16 leaves the frames of the page's asynchronous calls in an error's message, a line each. */
function withoutFrames(message: string, url: string): string {
  const [first, ...others] = message.split("\n");
  return [first, ...others.filter((line) => !line.includes(url))].join("\n");
}
