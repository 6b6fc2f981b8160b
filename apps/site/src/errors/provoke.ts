import { type ErrorCode, isBatchNormError } from "@batchnorm/spec";
import { ERROR_EXAMPLES } from "./examples.ts";

/** An example of an error as its page shows it: both programs, and the sentence that the library gave for the first. */
export interface ProvokedError {
  readonly wrong: string;
  readonly message: string;
  readonly right: string;
}

/**
 * Runs both programs of a code.
 *
 * @throws Error when the wrong one is not refused with the code, or the right one is refused.
 */
export async function provoke(code: ErrorCode): Promise<ProvokedError> {
  const { wrong, right } = ERROR_EXAMPLES[code];
  const message = await refusal(code, wrong);
  await right();
  return { wrong: sourceOf(wrong), message, right: sourceOf(right) };
}

async function refusal(code: ErrorCode, program: () => unknown): Promise<string> {
  try {
    await program();
  } catch (error) {
    if (isBatchNormError(error) && error.code === code) return error.message;
    throw new Error(`The example of ${code} fails with something else.`, { cause: error });
  }
  throw new Error(`The example of ${code} is not refused.`);
}

/** What a function does, as it was written: Node blanks types out, and leaves everything else where it was. */
function sourceOf(program: () => unknown): string {
  const text = program.toString().replace(/^(async )?\(\) =>\s*/, "");
  const body = text.startsWith("{") ? text.slice(1, -1).trim() : `${text};`;
  const lines = body.replaceAll(/(?<=\S) {2,}(?=[,)])/g, "").split("\n");
  const indents = lines
    .slice(1)
    .filter((line) => line.trim() !== "")
    .map((line) => line.length - line.trimStart().length);
  // The first line lost its indent above; the last one of an expression stands as deep as the whole.
  const depth = indents.length === 0 ? 0 : Math.min(...indents);
  return lines.map((line, index) => (index === 0 ? line : line.slice(depth))).join("\n");
}
