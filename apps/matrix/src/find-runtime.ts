import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { type BrowserName, findBrowser } from "@batchnorm/conformance/browser";
import { howItEnded, run } from "@batchnorm/packing";
import type { Runtime } from "./runtimes.ts";

/** A runtime as this machine has it. */
export interface FoundRuntime {
  readonly version: string;
  readonly platform: string;
  /** The path of its program. */
  readonly program: string;
}

/** Milliseconds. */
const VERSION_LIMIT = 30_000;

/** Where the runtimes of npm lie, from one run to the next. */
function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "batchnorm", "runtimes");
}

/**
 * Finds a runtime, and installs it where it comes with a package of npm.
 *
 * @throws Error when this machine has none and can get none: a sentence that says why.
 */
export async function findRuntime(runtime: Runtime): Promise<FoundRuntime> {
  const program = runtime.npm === null ? findBrowser(runtime.kind as BrowserName) : await install(runtime, runtime.npm);
  const answer = await run(program, ["--version"], { limit: VERSION_LIMIT });
  const version = /\d+(\.\d+)+/.exec(answer.stdout)?.[0];
  if (answer.status !== 0 || version === undefined) throw new Error(`${program} --version ${howItEnded(answer)}`);
  const machine = `${process.platform} ${process.arch}`;
  return { program, version, platform: runtime.kind === "chromium" ? `${machine}, graphics in software (SwiftShader)` : machine };
}

async function install({ name }: Runtime, npm: string): Promise<string> {
  const directory = join(cacheDirectory(), npm);
  const [title] = npm.split("@");
  const program = join(directory, "node_modules", PROGRAMS[title]);
  if (existsSync(program)) return program;
  await mkdir(directory, { recursive: true });
  const installed = await run("npm", ["install", "--no-audit", "--no-fund", "--prefix", directory, npm]);
  if (installed.status === 0 && existsSync(program)) return program;
  throw new Error(`${name} could not be installed: npm install ${npm} ${howItEnded(installed)}`);
}

/** The program in each package. */
const PROGRAMS: Readonly<Record<string, string>> = { node: "node/bin/node", deno: "deno/deno", bun: "bun/bin/bun.exe" };
