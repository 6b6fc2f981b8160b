import { mkdir, readFile, writeFile } from "node:fs/promises";
import { json, type Report, readReport } from "@batchnorm/conformance";
import { plan, type Task } from "./plan.ts";

/** Where the report of a cell is kept. */
function fileOf(directory: string, { runtime, backend }: Task): string {
  return `${directory}/${runtime.id} ${encodeURIComponent(backend)}.json`;
}

/** Keeps every report in a folder, which is made. */
export function keepIn(directory: string): (task: Task, report: Report) => Promise<void> {
  return async (task, report) => {
    await mkdir(directory, { recursive: true });
    await writeFile(fileOf(directory, task), json(report));
  };
}

/**
 * One report of all backends on the runtimes named: of those where every backend of the repository is at home. A backend may run on
 * several: its name says where, but for the first.
 *
 * @throws Error where the report of a cell is not there.
 */
export async function mergeReports(directory: string, runtimes: readonly string[]): Promise<Report> {
  const reports = await Promise.all(
    runtimes.flatMap((id, position) =>
      plan([id], [], "once").map(async (task) => {
        const report = readReport(await readFile(fileOf(directory, task), "utf8"));
        const results = report.results.map((result) => ({
          ...result,
          backend: position === 0 ? result.backend : `${result.backend} (${task.runtime.name})`,
        }));
        return { ...report, results };
      }),
    ),
  );
  return { ...reports[0], results: reports.flatMap(({ results }) => results), problems: reports.flatMap(({ problems }) => problems) };
}
