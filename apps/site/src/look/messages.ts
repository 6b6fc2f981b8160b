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
