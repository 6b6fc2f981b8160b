import type { Status } from "./status.ts";
import type { Terminal } from "./terminal.ts";

/** What every command gets. */
export interface Context {
  readonly terminal: Terminal;
  /** Sets the exit status of a command that did its work. */
  finish(status: Status): void;
}

/** The exit codes, under the help of every command. */
export const EXIT_CODES = `
Exit codes:
  0  fine
  1  findings, with --strict
  2  a wrong use, or a file that cannot be read`;

export function printJson({ terminal }: Context, value: unknown): void {
  terminal.out(`${JSON.stringify(value, jsonNumber, 1)}\n`);
}

/** Infinities and NaN as text, as the portable form of a state has them: JSON has no such numbers, and null would hide them. */
function jsonNumber(_: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value;
}
