import type { LookFold, LookReport, LookVerdict } from "./report.ts";

/** What the page asks of the worker. */
export interface LookRequest {
  readonly id: number;
  readonly what: "open" | "verify" | "fold" | "states";
  readonly files?: readonly File[];
  readonly float16?: boolean;
}

/** The worker's answer: a result, or the sentence of a refusal with its code. */
export interface LookAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: LookRefusal;
}

/** A refusal as it crosses from the worker; the code is null for a fault of the page itself. */
export interface LookRefusal {
  readonly code: string | null;
  readonly message: string;
}

/** The worker as the page calls it. A refusal rejects with a `LookRefusal`. */
export class LookClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(reason: LookRefusal): void }>();
  #last = 0;

  constructor() {
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
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
