import { messageOf, type Report } from "@batchnorm/conformance";
import {
  MATRIX_SCHEMA,
  type Matrix,
  type MatrixCell,
  type MatrixRuntime,
  mergeMatrices,
  suiteOf,
  toMatrix,
} from "@batchnorm/conformance/matrix";
import { readVectors } from "@batchnorm/conformance/node";
import { type FoundRuntime, findRuntime } from "./find-runtime.ts";
import type { Packed } from "./packed.ts";
import type { Task } from "./plan.ts";
import { runCell } from "./run-cell.ts";
import type { Runtime } from "./runtimes.ts";

export interface MatrixOptions {
  /** How many cells run at a time. */
  readonly jobs: number;
  /** Called after every cell, with all that there is by then. */
  readonly onCell: (cell: MatrixCell, duration: number, soFar: Matrix) => Promise<void>;
  /** Called with the whole report of every cell that has one, before `onCell`. */
  readonly onReport?: ((task: Task, report: Report) => Promise<void>) | undefined;
}

/** Runs the tasks in a folder of packed packages, some at a time. What a backend or a runtime does wrong is in the matrix. */
export async function runMatrix(tasks: readonly Task[], packed: Packed, { jobs, onCell, onReport }: MatrixOptions): Promise<Matrix> {
  const started = new Date();
  const empty = { schema: MATRIX_SCHEMA, suite: suiteOf(await readVectors(packed.vectors)), started: started.toISOString() } as const;
  const run = new MatrixRun(packed, empty, onReport);
  const left = [...tasks];
  const parts: Matrix[] = [];
  const soFar = (): Matrix => ({ ...mergeMatrices(parts), duration: Date.now() - started.getTime() });
  const work = async (): Promise<void> => {
    for (let task = left.shift(); task !== undefined; task = left.shift()) {
      const since = performance.now();
      const part = await run.cell(task);
      parts.push(part);
      for (const cell of part.cells) await onCell(cell, performance.now() - since, soFar());
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return soFar();
}

type Empty = Pick<Matrix, "schema" | "suite" | "started">;
type Found = { readonly found: FoundRuntime } | { readonly reason: string };

class MatrixRun {
  readonly #packed: Packed;
  readonly #empty: Empty;
  readonly #onReport: MatrixOptions["onReport"];
  readonly #runtimes = new Map<string, Promise<Found>>();

  constructor(packed: Packed, empty: Empty, onReport: MatrixOptions["onReport"]) {
    this.#packed = packed;
    this.#empty = empty;
    this.#onReport = onReport;
  }

  /** A matrix of one cell. */
  async cell(task: Task): Promise<Matrix> {
    const { runtime, backend } = task;
    const answer = await this.#find(runtime);
    if ("reason" in answer) {
      const missing = { ...describe(runtime), version: null, platform: null, status: "not-run", reason: answer.reason } as const;
      return this.#missing(backend, missing, answer.reason, []);
    }
    const { version, platform } = answer.found;
    const ran: MatrixRuntime = { ...describe(runtime), version, platform, status: "ran" };
    try {
      const report = await runCell(task, answer.found, this.#packed);
      const names = report.results.map((result) => result.backend);
      if (names.length !== 1 || names[0] !== backend) throw new Error(`The backend is called ${names.join(", ")}, expected ${backend}.`);
      await this.#onReport?.(task, report);
      return toMatrix(report, ran, this.#empty.started);
    } catch (error) {
      return this.#missing(backend, ran, messageOf(error), [`${backend} on ${runtime.name}: ${messageOf(error)}`]);
    }
  }

  #find(runtime: Runtime): Promise<Found> {
    const asked = this.#runtimes.get(runtime.id);
    const answer =
      asked ??
      findRuntime(runtime).then(
        (found): Found => ({ found }),
        (error): Found => ({ reason: messageOf(error) }),
      );
    this.#runtimes.set(runtime.id, answer);
    return answer;
  }

  #missing(backend: string, runtime: MatrixRuntime, reason: string, problems: readonly string[]): Matrix {
    const cell: MatrixCell = { backend, runtime: runtime.id, status: "not-run", reason };
    return { ...this.#empty, duration: 0, runtimes: [runtime], cells: [cell], problems };
  }
}

function describe({ id, name, howToGet }: Runtime): Pick<MatrixRuntime, "id" | "name" | "howToGet"> {
  return { id, name, howToGet };
}
