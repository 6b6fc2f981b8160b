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

/** The same of the page of results, which Vite builds. */
export function buildPageIfStale(): void {
  const directory = join(root, "packages/conformance");
  const built = join(directory, "page/dist");
  const sources = [
    ...readdirSync(join(directory, "page"))
      .filter((name) => name !== "dist")
      .map((name) => `page/${name}`),
    "src",
  ];
  if (existsSync(built) && sources.every((name) => newest(built) >= newest(join(directory, name)))) return;
  execFileSync(process.execPath, [join(directory, "node_modules/vite/bin/vite.js"), "build", "--config", "page/vite.config.ts"], {
    cwd: directory,
    stdio: "pipe",
  });
}

/** When a file, or the last file below a directory, was written. */
function newest(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).mtimeMs;
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Math.max(...files.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs));
}
