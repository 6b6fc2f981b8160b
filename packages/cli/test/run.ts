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
