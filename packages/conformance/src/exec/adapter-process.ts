import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { BatchNormError, describeValue, type ErrorCode } from "@batchnorm/spec";
import { LineReader } from "./lines.ts";

/** A shell's command line, or a program and its arguments without a shell. */
export type ExecCommand = string | readonly string[];

/** What a request gives: the fields of the adapter's line. */
export type Answer = Readonly<Record<string, unknown>>;

interface Pending {
  readonly id: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly clock: ReturnType<typeof setTimeout> | undefined;
}

/** How many lines of what an adapter wrote to stderr last are shown when it ends by itself. */
const LAST_LINES = 12;

/**
 * One process of an adapter in another language. It is asked one thing at a time, a line each, and answers with a line. Anything
 * else that it does (it ends, writes something that is no answer, takes too long) ends it, and fails what it was asked.
 */
export class AdapterProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Milliseconds for one answer. */
  readonly #timeout: number;
  readonly #lastErrors: string[] = [];
  #queue: Promise<unknown> = Promise.resolve();
  #pending: Pending | null = null;
  #requests = 0;
  #end: Error | null = null;

  constructor(command: ExecCommand, timeout: number) {
    this.#timeout = timeout;
    const options = { stdio: ["pipe", "pipe", "pipe"] as ["pipe", "pipe", "pipe"], windowsHide: true };
    const [program, ...argv] = command;
    this.#child = typeof command === "string" ? spawn(command, { ...options, shell: true }) : spawn(program, argv, options);
    const { stdin, stdout, stderr } = this.#child;
    const lines = new LineReader(
      (line) => this.#receive(line),
      () => this.#fail(new Error("the adapter wrote a line to stdout that has no end, expected one line of JSON for each request")),
    );
    stdout.on("data", (chunk: Buffer) => lines.push(chunk));
    stderr.on("data", (chunk: Buffer) => {
      process.stderr.write(chunk);
      this.#lastErrors.push(String(chunk));
      this.#lastErrors.splice(0, this.#lastErrors.length - 4 * LAST_LINES);
    });
    // A process that has ended cannot be written to; that it has ended says "close".
    stdin.on("error", () => {});
    this.#child.on("error", (error) => this.#fail(new Error(`the adapter could not be started: ${error.message}`)));
    // "close" and not "exit": all that it wrote has arrived by then.
    this.#child.on("close", (code, signal) => this.#fail(this.#endOf(code, signal)));
    this.#keepAlive(false);
  }

  /** Why it takes no more requests; null while it does. */
  get end(): Error | null {
    return this.#end;
  }

  /**
   * Asks for one thing, after what was asked before.
   *
   * @throws BatchNormError with the adapter's own code where it refused; Error for a failure that it names no code for.
   */
  request(op: string, fields: () => object): Promise<Answer> {
    const answer = this.#queue.then(() => this.#ask(op, fields()));
    this.#queue = answer.catch(() => undefined);
    return answer;
  }

  stop(why: string): void {
    this.#fail(new Error(why));
  }

  #ask(op: string, fields: object): Promise<Answer> {
    if (this.#end !== null) return Promise.reject(this.#end);
    this.#requests++;
    const id = this.#requests;
    return new Promise((resolve, reject) => {
      const late = (): void => this.#fail(new Error(`the adapter did not answer "${op}" within ${this.#timeout / 1000} s`));
      const clock = this.#timeout === Number.POSITIVE_INFINITY ? undefined : setTimeout(late, this.#timeout);
      this.#pending = { id, resolve, reject, clock };
      this.#keepAlive(true);
      this.#child.stdin.write(`${JSON.stringify({ id, op, ...fields })}\n`);
    });
  }

  #receive(line: string): void {
    if (line.trim() === "" || this.#end !== null) return;
    const answer = parse(line);
    const pending = this.#pending;
    if (answer === null || pending === null || answer.id !== pending.id) {
      const wanted = pending === null ? "nothing, for nothing was asked" : `one line of JSON with "id": ${pending.id}`;
      const others = "What is for people goes to stderr";
      this.#fail(new Error(`the adapter wrote ${describeValue(line)} to stdout, expected ${wanted}. ${others}`));
      return;
    }
    this.#settle();
    if (answer.error === undefined) pending.resolve(answer);
    else pending.reject(refusal(answer.error));
  }

  #settle(): void {
    clearTimeout(this.#pending?.clock);
    this.#pending = null;
    this.#keepAlive(false);
  }

  #fail(error: Error): void {
    if (this.#end !== null) return;
    this.#end = error;
    const pending = this.#pending;
    this.#settle();
    pending?.reject(error);
    kill(this.#child);
  }

  #endOf(code: number | null, signal: string | null): Error {
    const what = signal === null ? `the adapter ended with exit code ${code}` : `the adapter was ended by ${signal}`;
    const lines = this.#lastErrors.join("").trim().split("\n").slice(-LAST_LINES);
    const last = lines[lines.length - 1];
    const error = new Error(last === "" ? what : `${what}: ${last.trim().slice(0, 300)}`);
    // The adapter's own traceback is where it comes from, and not a place in this file.
    error.stack = [error.message, ...lines].join("\n");
    return error;
  }

  /** Node ends by itself where only an adapter is left that was asked nothing. */
  #keepAlive(on: boolean): void {
    const { stdin, stdout, stderr } = this.#child;
    for (const each of [this.#child, stdin, stdout, stderr] as unknown as { ref?(): void; unref?(): void }[]) {
      if (on) each.ref?.();
      else each.unref?.();
    }
  }
}

function parse(line: string): Answer | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Answer) : null;
  } catch {
    return null;
  }
}

function refusal(error: unknown): Error {
  const { code, message } = typeof error === "object" && error !== null ? (error as { code?: unknown; message?: unknown }) : {};
  if (typeof message !== "string" || (code !== undefined && typeof code !== "string")) {
    return new Error(`the adapter answered with the error ${describeValue(error)}, expected { "message": "...", "code": "..." }`);
  }
  if (code === undefined) return new Error(message);
  return new BatchNormError(code as ErrorCode, `The adapter refused: ${message.slice(0, 300)}`, code, "what the adapter takes");
}

/** On Windows a shell's child does not end with the shell. */
function kill(child: ChildProcessByStdio<Writable, Readable, Readable>): void {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  if (process.platform === "win32") spawnSync("taskkill", ["/pid", String(child.pid), "/T", "/F"], { stdio: "ignore" });
  else child.kill("SIGKILL");
}
