import { type Ending, type Message, messageOf } from "@batchnorm/conformance";
import type { ConsoleMessage, Page } from "puppeteer-core";

/**
 * Watches over a page from outside, for what no check can see: tells of errors that nobody caught or that the console shows, and
 * resolves when the page ends.
 */
export function watch(page: Page, tell: (message: Message) => void): Promise<Ending> {
  page.on("pageerror", (error) => {
    // Chromium puts this before some messages and not before others.
    const why = messageOf(error).replace(/^Uncaught (\(in promise\) )?Error: /, "");
    const frames = error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => /^\s*at /.test(line)) : [];
    tell({ kind: "uncaught", why, ...(frames.length > 0 && { detail: frames.map((line) => line.trim()).join("\n") }) });
  });
  page.on("console", (message) => {
    if (message.type() === "error") tell({ kind: "noticed", what: `The console shows an error: ${consoleText(message)}` });
  });
  return new Promise((resolve) => {
    page.on("error", () => resolve({ what: "the page crashed" }));
    page.on("close", () => resolve({ what: "the page was closed" }));
  });
}

/** The text, and for what could not be fetched, which the text leaves out, the address. */
function consoleText(message: ConsoleMessage): string {
  const { url } = message.location();
  return url === undefined || !message.text().startsWith("Failed to load resource") ? message.text() : `${message.text()} (${url})`;
}
