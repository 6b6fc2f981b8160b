import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * A ```ts block of a README, the first one unless told otherwise.
 *
 * @throws Error when there is none.
 */
export function readmeExample(path: string, index = 0): string {
  const example = [...readFileSync(path, "utf8").matchAll(/^```ts\n(.*?)^```$/gms)][index]?.[1];
  if (example === undefined) throw new Error(`${path} has no \`\`\`ts block to run${index === 0 ? "" : ` in place ${index}`}`);
  return example;
}

/**
 * Runs a program as a reader would, in a Node of its own and in the given folder, but with the packages of this workspace resolved
 * to their sources. Returns what it printed.
 *
 * @param where what the program is of, for the error.
 * @throws Error when the program fails, with what it wrote to stderr.
 */
export function runProgram(where: string, program: string, folder: string): string {
  const node = spawnSync(process.execPath, ["--conditions=@batchnorm/source", "--input-type=module-typescript", "-"], {
    cwd: folder,
    input: program,
    encoding: "utf8",
    timeout: 60_000,
  });
  if (node.error) throw node.error;
  if (node.status !== 0) throw new Error(`The example of ${where} failed:\n${node.stderr}`);
  return node.stdout;
}

/** Runs a ```ts block of a README in the README's folder. Returns what it printed; throws what the two above throw. */
export function runReadmeExample(path: string, index = 0): string {
  return runProgram(path, readmeExample(path, index), dirname(path));
}
