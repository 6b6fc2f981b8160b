import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Report, readReport } from "@batchnorm/conformance";
import type { FoundRuntime } from "./find-runtime.ts";
import type { Packed } from "./packed.ts";
import type { Task } from "./plan.ts";
import { howItEnded, run } from "./shell.ts";

/** Milliseconds for one cell: the suite ends what hangs by itself, and this ends the suite. */
const LIMIT = 1_200_000;

/**
 * Runs one backend in Node, Deno or Bun, as everybody would: by the command line of the installed package.
 *
 * @throws Error when there is no report.
 */
export async function runInProgram({ runtime, backend, quick }: Task, { program }: FoundRuntime, packed: Packed): Promise<Report> {
  const module = await packed.moduleOf(backend);
  const out = join(packed.directory, `${runtime.id}-${backend.replaceAll(/\W+/g, "-")}.json`);
  const start = runtime.kind === "deno" ? [program, "run", "--allow-all", "--node-modules-dir=manual"] : [program];
  const command = [...start, packed.command, module, "--reporter", "json", "--out", out, ...(quick ? ["--quick"] : [])];
  const options = { cwd: packed.directory, limit: LIMIT };
  const finished = await run(command, options);
  const text = await readFile(out, "utf8").catch(() => null);
  await rm(out, { force: true });
  // 0 and 1 are verdicts.
  if (text === null || finished.status === null || finished.status > 1) throw new Error(`The run ${howItEnded(finished, options)}`);
  return readReport(text);
}
