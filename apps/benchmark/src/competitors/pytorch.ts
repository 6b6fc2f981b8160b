import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Competitor, Contender, Results } from "../competitor.ts";
import { PYTORCH } from "../names.ts";
import type { Task } from "../task.ts";

const PROGRAM = fileURLToPath(new URL("pytorch.py", import.meta.url));

/**
 * Native PyTorch on one thread, in a process of its own, which measures its own runs: bursts of them, in turn with the others. Its
 * moving variance follows another convention (the sample variance) and is not compared.
 */
export async function pytorch(python: string): Promise<Competitor> {
  const child = new Python(python);
  await child.answer();
  return { name: PYTORCH, prepare: (task) => prepare(child, task), dispose: () => child.stop() };
}

async function prepare(child: Python, task: Task): Promise<Contender> {
  const { x, dy, state, ...description } = task;
  const folder = mkdtempSync(join(tmpdir(), "benchmark-"));
  for (const [name, data] of Object.entries({ x, dy, ...state.parameters, ...state.statistics })) {
    writeFileSync(join(folder, name), new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  const read = (name: string): Float32Array => new Float32Array(Uint8Array.from(readFileSync(join(folder, `result-${name}`))).buffer);
  await child.ask({ do: "prepare", folder, ...description });
  return {
    run: () => {
      throw new Error("PyTorch measures itself.");
    },
    sample: async (milliseconds) => ((await child.ask({ do: "sample", milliseconds })) as { samples: number[] }).samples,
    results: async (): Promise<Results> => {
      const { outputs } = (await child.ask({ do: "results" })) as { outputs: string[] };
      return Object.fromEntries(outputs.map((name) => [name, read(name)]));
    },
    dispose: () => rmSync(folder, { recursive: true }),
  };
}

/** A Python process that answers line by line. */
class Python {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(python: string) {
    this.#child = spawn(python, [PROGRAM], { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, OMP_NUM_THREADS: "1" } });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async ask(command: object): Promise<unknown> {
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`);
    return this.answer();
  }

  async answer(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("The Python of --python ended: does it have torch and numpy?");
    return JSON.parse(value);
  }

  stop(): void {
    this.#child.kill();
  }
}
