import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { EPSILON, makeCase, type Plan } from "./cases.ts";
import { type Errors, errorsOf, OUTPUTS, type Results, truthOf } from "./errors.ts";

const PROGRAM = fileURLToPath(new URL("run_keras.py", import.meta.url));

/**
 * The errors of Keras itself on TensorFlow, by the ids of the cases. `python` is one that has keras, tensorflow and
 * numpy.
 */
export async function kerasErrors(python: string, plans: readonly Plan[]): Promise<Record<string, Errors>> {
  const folder = mkdtempSync(join(tmpdir(), "accuracy-"));
  const child = spawn(python, [PROGRAM], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const errors: Record<string, Errors> = {};
  try {
    for (const plan of plans) {
      const each = makeCase(plan);
      const { id, shape, axis, x, dy, mask, gamma, beta } = each;
      for (const [name, data] of Object.entries({ x, dy, gamma, beta, mask })) {
        if (data !== null) writeFileSync(join(folder, name), new Uint8Array(data.buffer));
      }
      const command = { folder, shape, axis, channels: gamma.length, masked: mask !== null, epsilon: EPSILON };
      child.stdin.write(`${JSON.stringify(command)}\n`);
      if ((await lines.next()).done) throw new Error(`Python ended at ${id}: does it have keras, tensorflow and numpy?`);
      const read = (name: string): Float32Array => new Float32Array(Uint8Array.from(readFileSync(join(folder, `result-${name}`))).buffer);
      const results = Object.fromEntries(OUTPUTS.map((name) => [name, read(name)])) as unknown as Results;
      errors[id] = errorsOf(results, truthOf(each));
    }
    return errors;
  } finally {
    child.stdin.end();
    child.kill();
    rmSync(folder, { recursive: true });
  }
}
