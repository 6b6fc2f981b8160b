import { type WorkerStart, work } from "./worker.ts";

/** A worker that was asked for; it may still be starting. */
export interface WorkerHandle {
  terminate(): unknown;
}

/** The part of node:worker_threads that is used here. */
interface WorkerThreads {
  readonly Worker: new (
    program: string,
    options: { eval: true; execArgv: []; workerData: WorkerStart },
  ) => WorkerHandle & { unref(): void; once(event: "message" | "error" | "exit", listener: () => void): void };
}

/** How many threads this machine runs at once. More would wait for each other, and each takes some 10 MB. */
export function mostThreads(): number {
  const os = builtin("node:os") as { availableParallelism?(): number } | null;
  const { navigator } = globalThis as { navigator?: { readonly hardwareConcurrency?: number } };
  return os?.availableParallelism?.() ?? navigator?.hardwareConcurrency ?? 1;
}

/**
 * Starts a worker where there are any: worker_threads in Node, Deno and Bun, a Worker in browsers. `settled` is told whether it
 * came up. Where it may not be made (Node's --permission, Trusted Types) there is none, and null is returned; where a
 * Content-Security-Policy forbids workers from blobs, it does not come up.
 */
export function startWorker(start: WorkerStart, settled: (running: boolean) => void): WorkerHandle | null {
  try {
    const threads = builtin("node:worker_threads") as WorkerThreads | null;
    if (threads !== null) return startInNode(threads, start, settled);
    return typeof Worker === "undefined" ? null : startInBrowser(start, settled);
  } catch {
    return null;
  }
}

function startInNode({ Worker }: WorkerThreads, start: WorkerStart, settled: (running: boolean) => void): WorkerHandle {
  const program = `const { parentPort, workerData } = require("node:worker_threads"); parentPort.postMessage(0); (${work})(workerData);`;
  // Without the flags of this process: `--input-type=module` would make a module of the program.
  const worker = new Worker(program, { eval: true, execArgv: [], workerData: start });
  worker.once("message", () => {
    // From now on it sleeps or works, and must not keep the process alive; until then a caller may be waiting for it.
    worker.unref();
    settled(true);
  });
  worker.once("error", () => settled(false));
  worker.once("exit", () => settled(false));
  return worker;
}

function startInBrowser(start: WorkerStart, settled: (running: boolean) => void): WorkerHandle {
  const program = `self.onmessage = ({ data }) => { self.postMessage(0); (${work})(data); };`;
  const url = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
  const settle = (running: boolean): void => {
    URL.revokeObjectURL(url);
    settled(running);
  };
  try {
    const worker = new Worker(url, { type: "module" });
    worker.onmessage = () => settle(true);
    worker.onerror = () => settle(false);
    worker.postMessage(start);
    return worker;
  } catch (error) {
    URL.revokeObjectURL(url);
    throw error;
  }
}

/** A module of Node without an import, which browsers and their bundlers would stumble over. From Node 20.16 on. */
function builtin(name: string): unknown {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return process?.getBuiltinModule?.(name) ?? null;
}
