import type { Ending, StartPlace } from "@batchnorm/conformance";
import type { BackendName } from "./backends.ts";
import type { WorkerMessage, WorkerOrder } from "./worker.ts";

/**
 * Starts a worker of its own for one backend: an endless loop is that worker's, and the page goes on. Where the visitor cancels, or the
 * backend has lost its GPU, no further worker is started.
 */
export function startWorker(backend: BackendName, cancelled: AbortSignal): StartPlace {
  return (order, tell) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: backend });
    const ended = new Promise<Ending>((resolve) => {
      const cancel = (): void => resolve({ what: "the run was cancelled", final: true });
      cancelled.addEventListener("abort", cancel, { once: true });
      if (cancelled.aborted) cancel();
      worker.addEventListener("message", ({ data }: MessageEvent<WorkerMessage>) => {
        if (data.kind !== "device-lost") return tell(data);
        const said = data.message.trim();
        resolve({ what: `the WebGPU device was lost${said === "" ? "" : ` (${said})`}`, final: true });
      });
      // The script could not be loaded, or has an error that it could not tell of by itself.
      worker.addEventListener("error", ({ message }) => resolve({ what: `the worker ended: ${message || "it could not be loaded"}` }));
      worker.addEventListener("messageerror", () => resolve({ what: "the worker told something that cannot be read" }));
    });
    worker.postMessage({ backend, order } satisfies WorkerOrder);
    return { ended, stop: async () => worker.terminate() };
  };
}
