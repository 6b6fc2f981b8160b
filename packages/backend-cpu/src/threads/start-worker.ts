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
  ) => WorkerHandle & { unref(): void; once(event: "message" | "error", listener: () => void): void };
}

/**
 * Starts a worker where there are any: worker_threads in Node, Deno and Bun, a Worker in browsers. `settled` is told whether it came up;
 * where a Content-Security-Policy forbids workers from blobs, it does not.
 */
export function startWorker(start: WorkerStart, settled: (running: boolean) => void): WorkerHandle | null {
  const threads = workerThreads();
  if (threads !== null) {
    const program = `const { parentPort, workerData } = require("node:worker_threads"); parentPort.postMessage(0); (${work})(workerData);`;
    // Without the flags of this process: `--input-type=module` would make a module of the program.
    const worker = new threads.Worker(program, { eval: true, execArgv: [], workerData: start });
    worker.once("message", () => {
      // From now on it sleeps or works, and must not keep the process alive; until then a caller may be waiting for it.
      worker.unref();
      settled(true);
    });
    worker.once("error", () => settled(false));
    return worker;
  }
  if (typeof Worker === "undefined") return null;
  const program = `self.onmessage = ({ data }) => { self.postMessage(0); (${work})(data); };`;
  const url = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  const settle = (running: boolean): void => {
    URL.revokeObjectURL(url);
    settled(running);
  };
  worker.onmessage = () => settle(true);
  worker.onerror = () => settle(false);
  worker.postMessage(start);
  return worker;
}

/** Without an import, which browsers and their bundlers would stumble over. From Node 20.16 on. */
function workerThreads(): WorkerThreads | null {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return (process?.getBuiltinModule?.("node:worker_threads") as WorkerThreads | undefined) ?? null;
}
