import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { findBrowser } from "../browser/find-browser.ts";
import { openSite } from "../browser/site.ts";
import { startBrowser } from "../browser/start-browser.ts";
import { UsageError } from "../config.ts";
import type { StartPlace } from "../isolated/place.ts";
import type { CommandOptions } from "./options.ts";
import { startProcess } from "./process.ts";

const CONFIG_FILES = ["conformance.config.ts", "conformance.config.js", "conformance.config.mjs"];

/** What the command line asks to check, and where it runs. */
export interface Adapter {
  /** What it is called in messages. */
  readonly name: string;
  readonly start: StartPlace;
  close(): Promise<void>;
}

export interface AdapterOptions extends Pick<CommandOptions, "exec" | "browser" | "headed"> {
  /** The path of the vectors' directory. */
  readonly vectors: string;
  /** Gets what a backend prints. */
  readonly print: (text: string) => void;
}

/** @throws UsageError when there is no such file or browser, or more than one adapter was named. */
export async function openAdapter(file: string | undefined, options: AdapterOptions): Promise<Adapter> {
  const { exec, browser, headed = false, vectors, print } = options;
  if (headed && browser === undefined) throw new UsageError("--headed shows a browser: name one with --browser.");
  if (exec !== undefined) {
    const name = commandLine(exec, file);
    if (browser !== undefined) throw new UsageError("--exec starts a program, and --browser opens a page: an adapter runs in one of them.");
    return { name, start: startProcess({ config: exec, exec: true, vectors, print }), close: async () => {} };
  }
  const config = findConfig(file);
  if (browser === undefined)
    return { name: config, start: startProcess({ config: resolve(config), vectors, print }), close: async () => {} };
  const program = findBrowser(browser);
  const site = await openSite(config, vectors);
  return { name: config, start: startBrowser({ name: browser, program, site, headed, print }), close: () => site.close() };
}

/** @throws UsageError when there is no such file, or none was named and the directory has none. */
function findConfig(file: string | undefined): string {
  const name = file ?? CONFIG_FILES.find((each) => existsSync(each));
  if (name === undefined) throw new UsageError(`There is no ${CONFIG_FILES[0]} here: name a config or an adapter module.`);
  if (!existsSync(name)) throw new UsageError(`${name} does not exist: name a config or an adapter module.`);
  return name;
}

function commandLine(exec: string, file: string | undefined): string {
  if (file !== undefined) throw new UsageError(`--exec "${exec}" and ${file} are two adapters: name one of them.`);
  if (exec.trim() === "") throw new UsageError('--exec has no command, expected one such as "python adapter.py".');
  return `"${exec}"`;
}
