import type { LookAnswer, LookRefusal, LookRequest } from "./messages.ts";
import type { LookFold, LookReport, LookVerdict } from "./report.ts";
import workerFile from "./worker.ts?worker&url";

/** The worker as the page calls it. A refusal rejects with a `LookRefusal`. */
export class LookClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(reason: LookRefusal): void }>();
  #last = 0;

  constructor() {
    // A worker out of a blob has the page's policy, which lets it talk to this site only; one out of a file would have none.
    const start = `import ${JSON.stringify(new URL(workerFile, location.href).href)};`;
    const url = URL.createObjectURL(new Blob([start], { type: "text/javascript" }));
    this.#worker = new Worker(url, { type: "module" });
    this.#worker.addEventListener("message", ({ data: { id, result, error } }: MessageEvent<LookAnswer>) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(error);
    });
    // Out of memory, or a script that could not be loaded: nobody would answer any more.
    this.#worker.addEventListener("error", ({ message }) => {
      for (const { reject } of this.#waiting.values()) reject({ code: null, message: message || "The worker stopped." });
      this.#waiting.clear();
    });
  }

  open(files: readonly File[]): Promise<LookReport> {
    return this.#ask({ what: "open", files }) as Promise<LookReport>;
  }

  verify(): Promise<readonly LookVerdict[]> {
    return this.#ask({ what: "verify" }) as Promise<readonly LookVerdict[]>;
  }

  fold(float16: boolean): Promise<LookFold> {
    return this.#ask({ what: "fold", float16 }) as Promise<LookFold>;
  }

  states(): Promise<string> {
    return this.#ask({ what: "states" }) as Promise<string>;
  }

  close(): void {
    this.#worker.terminate();
  }

  #ask(request: Omit<LookRequest, "id">): Promise<unknown> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...request } satisfies LookRequest);
    });
  }
}
