import { type Browser, launch } from "puppeteer-core";
import { findProgram } from "./find-program.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/** WebGPU and WebGL in software, through SwiftShader: the same on every machine, with a graphics card or without. */
const FLAGS = [
  // CI runs as root, where Chromium's sandbox does not start; the pages are this workspace's own code.
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  "--disable-background-networking",
];

/**
 * The Chromium that the environment variable CHROMIUM names, or the first one on the PATH.
 *
 * @throws Error when there is none: a sentence that says how to get one.
 */
export function findChromium(): string {
  return findProgram({ title: "Chromium", variable: "CHROMIUM", names: NAMES, debian: "chromium" });
}

/** Why a test that needs Chromium is skipped; null where there is one. */
export function noChromium(): string | null {
  try {
    findChromium();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The title of a group of tests, with the reason when it is skipped. */
export function withChromium(title: string): string {
  const reason = noChromium();
  return reason === null ? title : `${title} (skipped: ${reason})`;
}

/** Starts it, without a window or with one. */
export function launchChromium(executablePath: string, { headed = false }: { readonly headed?: boolean } = {}): Promise<Browser> {
  // A page may be busy for longer than the protocol's own limit; who waits for it has a limit of its own.
  return launch({ executablePath, headless: !headed, args: FLAGS, protocolTimeout: 0 });
}
