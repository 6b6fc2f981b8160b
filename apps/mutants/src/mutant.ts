import type { AnyBackend } from "@batchnorm/conformance";

/** A backend that is wrong on purpose, and the clauses of docs/spec.md that describe its fault. */
export interface Mutant {
  readonly name: string;
  /** What it does wrong, and who really does so, where somebody does. */
  readonly fault: string;
  /** A check of one of these has to catch it. */
  readonly clauses: readonly string[];
  create(): AnyBackend;
}
