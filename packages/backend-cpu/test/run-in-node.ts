import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));

/**
 * Runs TypeScript in a Node of its own, in this package's folder, and returns what it printed, parsed as JSON.
 *
 * @throws Error when it fails or does not end within a minute.
 */
export function runInNode(program: string, flags: readonly string[] = []): unknown {
  const node = spawnSync(process.execPath, [...flags, "--conditions=@batchnorm/source", "--input-type=module-typescript", "-"], {
    cwd: PACKAGE,
    input: program,
    encoding: "utf8",
    timeout: 60_000,
  });
  if (node.error) throw node.error;
  if (node.status !== 0) throw new Error(`The program ended with ${node.status ?? node.signal}:\n${node.stderr}`);
  return JSON.parse(node.stdout);
}
