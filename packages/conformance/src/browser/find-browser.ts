import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { UsageError } from "../config.ts";

/** The browsers that `--browser` takes. */
export const BROWSERS = ["chromium", "firefox"] as const;
export type BrowserName = (typeof BROWSERS)[number];

interface Known {
  /** The environment variable that names it. */
  readonly variable: string;
  /** What it is called on the PATH. */
  readonly programs: readonly string[];
  /** The package of Debian that has it. */
  readonly debian: string;
  /** Where its installers put it, on the systems where that is not on the PATH. */
  readonly files: readonly string[];
}

const PROGRAM_FILES: readonly string[] = ["PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"].flatMap((name) => process.env[name] ?? []);

const KNOWN: Readonly<Record<BrowserName, Known>> = {
  chromium: {
    variable: "CHROMIUM",
    programs: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"],
    debian: "chromium",
    files: [
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
      "/Applications/Chromium.app/Contents/MacOS/Chromium",
      "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
      ...PROGRAM_FILES.flatMap((folder) => [
        join(folder, "Google/Chrome/Application/chrome.exe"),
        join(folder, "Microsoft/Edge/Application/msedge.exe"),
      ]),
    ],
  },
  firefox: {
    variable: "FIREFOX",
    programs: ["firefox", "firefox-esr"],
    debian: "firefox-esr",
    files: [
      "/Applications/Firefox.app/Contents/MacOS/firefox",
      ...PROGRAM_FILES.map((folder) => join(folder, "Mozilla Firefox/firefox.exe")),
    ],
  },
};

/**
 * The program of a browser: the one that CHROMIUM or FIREFOX names, or the first one on the PATH or where its installer puts it.
 *
 * @throws UsageError when there is none, with how to get one.
 */
export function findBrowser(name: BrowserName): string {
  const { variable, programs, debian, files } = KNOWN[name];
  const named = process.env[variable];
  if (named) {
    if (isExecutable(named)) return named;
    throw new UsageError(`${variable} is ${named}, where there is no program that may be executed.`);
  }
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const found = [...folders.flatMap((folder) => programs.map((program) => join(folder, program))), ...files].find(isExecutable);
  if (found !== undefined) return found;
  throw new UsageError(
    `There is no ${name} on this machine: install one (Debian: apt-get install ${debian}), or name its program in ${variable}.`,
  );
}

/** Why there is no such browser, in that sentence; null where there is one. */
export function noBrowser(name: BrowserName): string | null {
  try {
    findBrowser(name);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    // A folder may be entered, which is the same bit.
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
