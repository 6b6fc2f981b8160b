import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Runs a ```ts block of a README, the first one unless told otherwise, as a reader would, in a Node of its own and in the README's
 * folder, but with the packages of this workspace resolved to their sources. Returns what the example printed.
 *
 * @throws Error when there is no example, or when it fails (with what it wrote to stderr).
 */
export function runReadmeExample(path: string, index = 0): string {
  const example = [...readFileSync(path, "utf8").matchAll(/^```ts\n(.*?)^```$/gms)][index]?.[1];
  if (example === undefined) throw new Error(`${path} has no \`\`\`ts block to run, number ${index}`);
  const node = spawnSync(process.execPath, ["--conditions=@batchnorm/source", "--input-type=module-typescript", "-"], {
    cwd: dirname(path),
    input: example,
    encoding: "utf8",
    timeout: 60_000,
  });
  if (node.error) throw node.error;
  if (node.status !== 0) throw new Error(`The example of ${path} failed:\n${node.stderr}`);
  return node.stdout;
}
