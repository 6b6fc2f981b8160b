import { type Report, runConfig, type Vectors } from "@batchnorm/conformance";
import { MATRIX_SCHEMA, type Matrix, type MatrixCell, type MatrixRuntime, suiteOf, toMatrix } from "@batchnorm/conformance/matrix";
import type { BackendName } from "./backends.ts";
import { startWorker } from "./start-worker.ts";

/** Milliseconds that one check may take: graphics may be in software, and its first shaders take long. */
const TIMEOUT = 120_000;

export interface LiveRunOptions {
  /** The names of the backends, in the order in which they run. */
  readonly backends: readonly BackendName[];
  readonly quick: boolean;
  readonly vectors: Vectors;
  readonly runtime: MatrixRuntime;
  /** Backends that cannot be run here, and why: they are in the result, too. */
  readonly lacking: ReadonlyMap<string, string>;
  readonly cancelled: AbortSignal;
  readonly onProgress: (progress: LiveProgress) => void;
}

/** How far one backend has come. */
export interface LiveProgress {
  readonly backend: string;
  readonly done: number;
  readonly total: number;
  readonly failed: number;
  readonly state: "running" | "done" | "cancelled";
}

/**
 * Runs backends one after another, each in workers of its own. A cancelled run has the results of the backends that were done before;
 * what was left half is no result.
 */
export async function runLive(options: LiveRunOptions): Promise<Matrix> {
  const { backends, vectors, runtime, lacking, cancelled } = options;
  const started = new Date();
  const cells: MatrixCell[] = [...lacking].map(([backend, reason]) => ({ backend, runtime: runtime.id, status: "not-run", reason }));
  const problems: string[] = [];
  for (const backend of backends) {
    const report = cancelled.aborted ? null : await runBackend(backend, options);
    if (report === null) {
      cells.push({ backend, runtime: runtime.id, status: "not-run", reason: "the run was cancelled" });
      continue;
    }
    cells.push(...toMatrix(report, runtime, started.toISOString()).cells);
    problems.push(...report.problems);
  }
  return {
    schema: MATRIX_SCHEMA,
    suite: suiteOf(vectors),
    started: started.toISOString(),
    duration: Date.now() - started.getTime(),
    runtimes: [runtime],
    cells: cells.sort((a, b) => a.backend.localeCompare(b.backend, "en", { numeric: true })),
    problems,
  };
}

/** Null where the run was cancelled meanwhile. */
async function runBackend(backend: BackendName, { quick, vectors, cancelled, onProgress }: LiveRunOptions): Promise<Report | null> {
  let progress: LiveProgress = { backend, done: 0, total: 1, failed: 0, state: "running" };
  const show = (news: Partial<LiveProgress>): void => {
    progress = { ...progress, ...news };
    onProgress(progress);
  };
  show({});
  const report = await runConfig(startWorker(backend, cancelled), {
    config: backend,
    vectors,
    quick,
    timeout: TIMEOUT,
    onProgress: ({ done, total, last }) => {
      const bad = "status" in last && (last.status === "failed" || last.status === "not-run");
      if (!cancelled.aborted) show({ done, total, failed: progress.failed + Number(bad) });
    },
  });
  show({ state: cancelled.aborted ? "cancelled" : "done" });
  return cancelled.aborted ? null : report;
}
