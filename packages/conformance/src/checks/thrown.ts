import { describeValue } from "@batchnorm/spec";
import { stackOf } from "../stack.ts";
import type { Check, Failure } from "./check.ts";

/** The failure of a check in which the backend threw. */
export function thrownFailure({ clause }: Pick<Check, "clause">, error: unknown, then = ""): Failure {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : describeValue(error);
  const stack = stackOf(error);
  return { message: `clause ${clause}: the backend threw ${what}${then}`, ...(stack !== null && { stack }) };
}
