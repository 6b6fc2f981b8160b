import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endWithThisProcess, HAS_GROUPS, killGroup } from "../command/process-group.ts";
import type { Ending } from "../isolated/place.ts";
import type { BrowserName } from "./find-browser.ts";

/** A browser that was started for one page, with a profile of its own. */
export interface Launched {
  /** Resolves when it has ended by itself. */
  readonly ended: Promise<Ending>;
  close(): Promise<void>;
}

/** WebGPU and WebGL in software, through SwiftShader: the same on every machine, with a graphics card or without. */
export const SOFTWARE_GRAPHICS: readonly string[] = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
];

/** No first-run pages, no telemetry, no updates. */
const FIREFOX_PREFERENCES = {
  "app.update.enabled": false,
  "browser.aboutwelcome.enabled": false,
  "browser.sessionstore.resume_from_crash": false,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "startup.homepage_welcome_url": "",
  "toolkit.telemetry.reportingpolicy.firstRun": false,
  "trailhead.firstrun.didSeeAboutWelcome": true,
};

const LAST_LINES = 12;

/**
 * Opens a page in a browser without a window, and with graphics in software; or, `headed`, in a window and with what the machine has.
 */
export async function launch(name: BrowserName, program: string, url: string, headed: boolean): Promise<Launched> {
  const profile = await mkdtemp(join(tmpdir(), "batchnorm-conformance-"));
  if (name === "firefox") await writeFile(join(profile, "user.js"), preferences());
  const argv = name === "firefox" ? firefoxArguments(profile, headed) : chromiumArguments(profile, headed);
  const child = spawn(program, [...argv, url], { stdio: ["ignore", "ignore", "pipe"], detached: HAS_GROUPS });
  const forget = endWithThisProcess(child);
  const ended = endingOf(child);
  ended.then(forget);
  return {
    ended,
    async close() {
      killGroup(child);
      await ended;
      // Its other processes may still be writing.
      await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

function chromiumArguments(profile: string, headed: boolean): string[] {
  return [
    `--user-data-dir=${profile}`,
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // As root, which is what many containers run as, Chromium's sandbox does not start. The page is the user's own code.
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ...(headed ? [] : ["--headless=new", ...SOFTWARE_GRAPHICS]),
  ];
}

function firefoxArguments(profile: string, headed: boolean): string[] {
  return ["--no-remote", "--profile", profile, ...(headed ? [] : ["--headless"])];
}

function preferences(): string {
  return Object.entries(FIREFOX_PREFERENCES)
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
    .join("");
}

function endingOf(child: ChildProcess): Promise<Ending> {
  const errors: string[] = [];
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors.push(text);
    errors.splice(0, errors.length - 4 * LAST_LINES);
  });
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ what: `the browser could not be started: ${error.message}` }));
    // "exit" and not "close": a helper of the browser may keep its stderr open.
    child.on("exit", (code, signal) => {
      const detail = errors.join("").trim().split("\n").slice(-LAST_LINES).join("\n");
      const what = signal === null ? `the browser ended with exit code ${code}` : `the browser was ended by ${signal}`;
      resolve({ what, ...(detail !== "" && { detail }) });
    });
  });
}
