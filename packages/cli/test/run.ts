import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { main } from "../src/cli.ts";

export interface Run {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command in this process. */
export async function batchnorm(...argv: readonly string[]): Promise<Run> {
  const out: string[] = [];
  const err: string[] = [];
  const status = await main(argv, { out: (text) => void out.push(text), err: (text) => void err.push(text), isInteractive: false });
  return { status, out: out.join(""), err: err.join("") };
}

/** A model or weight file of the tests of onnx-model. */
export function fixture(path: string): string {
  return fileURLToPath(new URL(`../../onnx-model/test/models/${path}`, import.meta.url));
}

/** A folder of its own for a test file, gone afterwards. */
export function temporaryFolder(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "batchnorm-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => join(folder, name);
}

/** The command in a process of its own, which can be stopped. */
export function startBatchnorm(argv: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Run> } {
  const program = `import { main } from ${JSON.stringify(new URL("../src/cli.ts", import.meta.url).href)}; process.exit(await main(process.argv.slice(1)));`;
  const child = spawn(process.execPath, ["--conditions=@batchnorm/source", "--input-type=module", "--eval", program, "--", ...argv]);
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.on("data", (text) => void out.push(String(text)));
  child.stderr.on("data", (text) => void err.push(String(text)));
  const ended = new Promise<Run>((resolve) => {
    child.on("close", (status, signal) =>
      resolve({ status: status ?? (signal === null ? -1 : 128), out: out.join(""), err: err.join("") }),
    );
  });
  return { child, ended };
}
