import { type Browser, launch } from "puppeteer-core";
import { findProgram } from "./find-program.ts";

/**
 * The Firefox that the environment variable FIREFOX names, or the first one on the PATH.
 *
 * @throws Error when there is none: a sentence that says how to get one.
 */
export function findFirefox(): string {
  return findProgram({ title: "Firefox", variable: "FIREFOX", names: ["firefox-esr", "firefox"], debian: "firefox-esr" });
}

/** Starts it without a window, over WebDriver BiDi. It has no WebGL and no WebGPU then (Firefox ESR 153 on Linux). */
export function launchFirefox(executablePath: string): Promise<Browser> {
  // As in Chromium, a page may be busy for longer than the protocol's own limit.
  return launch({ browser: "firefox", executablePath, headless: true, protocolTimeout: 0 });
}
