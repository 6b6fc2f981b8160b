import { readFile, rm } from "node:fs/promises";
import { type Report, readReport } from "@batchnorm/conformance";
import { howItEnded, run } from "@batchnorm/packing";
import type { FoundRuntime } from "./find-runtime.ts";
import type { Packed } from "./packed.ts";
import type { Task } from "./plan.ts";

/** Milliseconds for one cell: the suite ends what hangs by itself, and this ends the suite. */
const LIMIT = 1_200_000;

/** Seconds for a check in a browser: with the graphics in software and on a busy machine, only one that hangs takes so long. */
const BROWSER_TIMEOUT = 120;

/**
 * Runs one backend on one runtime, as everybody would: by the command line of the installed package.
 *
 * @throws Error when there is no report.
 */
export async function runCell({ runtime, backend, quick }: Task, found: FoundRuntime, packed: Packed): Promise<Report> {
  const { module, report } = await packed.filesOf(runtime, backend);
  const [program, ...options] = launcher(runtime.kind, found.program);
  const args = [...options, packed.command, module, "--reporter", "json", "--out", report];
  if (quick) args.push("--quick");
  if (runtime.kind === "chromium" || runtime.kind === "firefox") args.push("--browser", runtime.kind, "--timeout", String(BROWSER_TIMEOUT));
  const finished = await run(program, args, { cwd: packed.directory, limit: LIMIT });
  const text = await readFile(report, "utf8").catch(() => null);
  await rm(report, { force: true });
  // 0 and 1 are verdicts.
  if (text === null || finished.status === null || finished.status > 1) throw new Error(`The run ${howItEnded(finished)}`);
  return readReport(text);
}

/** What the command line itself runs on. It finds a browser by the same names as this app does. */
function launcher(kind: Task["runtime"]["kind"], program: string): [string, ...string[]] {
  if (kind === "deno") return [program, "run", "--allow-all", "--node-modules-dir=manual"];
  return kind === "node" || kind === "bun" ? [program] : [process.execPath];
}
