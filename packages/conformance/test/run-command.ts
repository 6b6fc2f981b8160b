import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A file or directory of the fixtures. */
export const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

/** The real executable in a process of its own. */
export function spawnCommand(argv: readonly string[], cwd: string, nodeOptions: readonly string[] = []): SpawnSyncReturns<string> {
  const bin = fileURLToPath(new URL("../bin/batchnorm-conformance.js", import.meta.url));
  return spawnSync(process.execPath, [...nodeOptions, bin, ...argv], {
    cwd,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
  });
}
