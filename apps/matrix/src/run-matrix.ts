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
import type { Site } from "@batchnorm/in-browser";
import { type FoundRuntime, findRuntime } from "./find-runtime.ts";
import { installPacked, type Packed } from "./packed.ts";
import type { Task } from "./plan.ts";
import { runInPage, servePacked } from "./run-page.ts";
import { runInProgram } from "./run-program.ts";
import type { Runtime } from "./runtimes.ts";

export interface MatrixOptions {
  /** How many cells run at a time. */
  readonly jobs: number;
  /** Called with what is done before the first cell. */
  readonly onStep: (what: string) => void;
  /** Called after every cell. */
  readonly onCell: (cell: MatrixCell, duration: number) => void;
}

/** Runs the tasks, some at a time. What a backend or a runtime does wrong is in the matrix; it throws only where nothing can be packed. */
export async function runMatrix(tasks: readonly Task[], { jobs, onStep, onCell }: MatrixOptions): Promise<Matrix> {
  const started = new Date();
  onStep("packing and installing the packages");
  const packed = await installPacked();
  const run = new MatrixRun(packed, started.toISOString(), { schema: MATRIX_SCHEMA, suite: suiteOf(await readVectors(packed.vectors)) });
  try {
    const left = [...tasks];
    const parts: Matrix[] = [];
    const work = async (): Promise<void> => {
      for (let task = left.shift(); task !== undefined; task = left.shift()) {
        const since = performance.now();
        const part = await run.cell(task);
        parts.push(part);
        for (const cell of part.cells) onCell(cell, performance.now() - since);
      }
    };
    await Promise.all(Array.from({ length: jobs }, work));
    return { ...mergeMatrices(parts), started: started.toISOString(), duration: Date.now() - started.getTime() };
  } finally {
    await run.close();
  }
}

type Found = { readonly found: FoundRuntime } | { readonly reason: string };

class MatrixRun {
  readonly #packed: Packed;
  readonly #started: string;
  readonly #empty: Pick<Matrix, "schema" | "suite">;
  readonly #runtimes = new Map<string, Promise<Found>>();
  #site: Promise<Site> | null = null;

  constructor(packed: Packed, started: string, empty: Pick<Matrix, "schema" | "suite">) {
    this.#packed = packed;
    this.#started = started;
    this.#empty = empty;
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
      const report = await this.#run(task, answer.found);
      const names = report.results.map((result) => result.backend);
      if (names.length !== 1 || names[0] !== backend) throw new Error(`The backend is called ${names.join(", ")}, expected ${backend}.`);
      return toMatrix(report, ran, this.#started);
    } catch (error) {
      return this.#missing(backend, ran, messageOf(error), [`${backend} on ${runtime.name}: ${messageOf(error)}`]);
    }
  }

  async close(): Promise<void> {
    await this.#site?.then((site) => site.close()).catch(() => {});
    await this.#packed.remove();
  }

  #run(task: Task, found: FoundRuntime): Promise<Report> {
    if (task.runtime.npm !== null) return runInProgram(task, found, this.#packed);
    this.#site ??= servePacked(this.#packed);
    return this.#site.then((site) => runInPage(task, found, site, this.#packed));
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
    return { ...this.#empty, started: this.#started, duration: 0, runtimes: [runtime], cells: [cell], problems };
  }
}

function describe({ id, name, howToGet }: Runtime): Pick<MatrixRuntime, "id" | "name" | "howToGet"> {
  return { id, name, howToGet };
}
