import type { Page } from "puppeteer-core";
import { launchBrowser } from "./browsers.ts";
import { type PageOptions, servePage } from "./serve.ts";

/**
 * Opens a page that loads one module in headless Chromium.
 *
 * @throws Error when there is no Chromium.
 */
export async function openPage(options: PageOptions): Promise<{ readonly page: Page; close(): Promise<void> }> {
  const browser = await launchBrowser("chromium");
  try {
    const site = await servePage(options);
    const page = await browser.newPage();
    await page.goto(site.url);
    return { page, close: () => browser.close().then(() => site.close()) };
  } catch (error) {
    await browser.close();
    throw error;
  }
}
