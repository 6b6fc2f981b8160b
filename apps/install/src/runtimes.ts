import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { runOrThrow } from "@batchnorm/packing";

const require = createRequire(import.meta.url);

/** What runs JavaScript, pinned in package.json. */
export interface Runtime {
  readonly name: string;
  /** The program and the arguments before the file. */
  readonly command: readonly [string, ...string[]];
  /** Whether it takes TypeScript as it is. */
  readonly typescript: boolean;
}

/** Whether everything is tried: `INSTALL=all`. */
export const ALL: boolean = process.env.INSTALL === "all";

const node = (alias: string, typescript: boolean): Runtime => ({
  name: alias.replace("-", " "),
  command: [join(dirname(require.resolve(`${alias}/package.json`)), "bin/node")],
  typescript,
});

/** The oldest releases of `engines`, in which `require` began to take ES modules. */
export const OLDEST_NODE: Runtime = node("node-20.19", false);
export const OLDEST_NODE_22: Runtime = node("node-22.12", false);
export const NEWEST_NODE: Runtime = node("node-26", true);

const bin = (name: string): string => join(dirname(require.resolve("../package.json")), "node_modules/.bin", name);

export const DENO: Runtime = { name: "deno", command: [bin("deno"), "run", "--allow-all"], typescript: true };
export const BUN: Runtime = { name: "bun", command: [bin("bun")], typescript: true };

export const RUNTIMES: readonly Runtime[] = [OLDEST_NODE, NEWEST_NODE, DENO, BUN];

/** Runs a file of a project. Returns what it printed. */
export function runFile({ command: [program, ...args] }: Runtime, folder: string, file: string, ...rest: string[]): Promise<string> {
  return runOrThrow(program, [...args, file, ...rest], { cwd: folder, limit: 120_000 });
}
