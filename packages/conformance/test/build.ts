import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Compiles the packages whose `dist` is older than their `src`: what a user runs is what is tested. */
export function buildIfStale(...packages: readonly string[]): void {
  for (const name of packages) {
    const directory = join(root, "packages", name);
    if (existsSync(join(directory, "dist")) && newest(join(directory, "dist")) >= newest(join(directory, "src"))) continue;
    execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", join(directory, "tsconfig.json")], {
      stdio: "pipe",
    });
  }
}

/** When the last file below was written. */
function newest(directory: string): number {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Math.max(...files.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs));
}
