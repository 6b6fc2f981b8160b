import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { UsageError } from "@batchnorm/conformance/node";
import { type Browser, launch } from "puppeteer-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/** WebGPU and WebGL in software, through SwiftShader: the same on every machine, with a graphics card or without. */
const FLAGS = [
  // CI runs as root, where Chromium's sandbox does not start; the page is this workspace's own code.
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
 * @throws UsageError when there is none.
 */
export function findChromium(): string {
  const { CHROMIUM: named, PATH = "" } = process.env;
  const candidates = named ? [named] : PATH.split(delimiter).flatMap((directory) => NAMES.map((name) => join(directory, name)));
  const found = candidates.find(isExecutable);
  if (found !== undefined) return found;
  throw new UsageError(
    named
      ? `CHROMIUM is ${named}, where there is no program that may be executed.`
      : "There is no Chromium on the PATH: install one (Debian: apt-get install chromium), or name it in the environment variable CHROMIUM.",
  );
}

export function launchChromium(executablePath: string, headed: boolean): Promise<Browser> {
  // A check may take longer than the protocol's own limit; the watch over the page is what ends it.
  return launch({ executablePath, headless: !headed, args: FLAGS, protocolTimeout: 0 });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
