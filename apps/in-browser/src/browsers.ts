import { type BrowserName, findBrowser, noBrowser, SOFTWARE_GRAPHICS } from "@batchnorm/conformance/browser";
import { type Browser, launch } from "puppeteer-core";

/** The title of a group of tests, with the reason when it is skipped. */
export function withBrowser(name: BrowserName, title: string): string {
  const reason = noBrowser(name);
  return reason === null ? title : `${title} (skipped: ${reason})`;
}

/**
 * Starts a browser, without a window or with one. Firefox is driven over WebDriver BiDi, and has no WebGL and no WebGPU without a window
 * (Firefox ESR 153 on Linux).
 *
 * @throws Error when there is none: a sentence that says how to get one.
 */
export async function launchBrowser(name: BrowserName, { headed = false }: { readonly headed?: boolean } = {}): Promise<Browser> {
  return launch({
    browser: name === "firefox" ? "firefox" : "chrome",
    executablePath: findBrowser(name),
    headless: !headed,
    // CI runs as root, where Chromium's sandbox does not start; the pages are this workspace's own code.
    args: name === "firefox" ? [] : ["--no-sandbox", ...SOFTWARE_GRAPHICS],
    // A page may be busy for longer than the protocol's own limit; who waits for it has a limit of its own.
    protocolTimeout: 0,
  });
}
