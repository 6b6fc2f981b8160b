import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire, findPackageJSON } from "node:module";
import type { Peer } from "./peer.ts";

/** The versions of a peer's packages, and of what runs them. */
export function versionsOf(
  { packages, runtime }: Pick<Peer, "packages" | "runtime">,
  python: string | undefined,
): { versions: Record<string, string>; runtime: string } {
  if (runtime === "Python") return inPython(packages, python!);
  const version = (name: string): string => {
    const file = findPackageJSON(name, import.meta.url) ?? createRequire(import.meta.url).resolve(`${name}/package.json`);
    return JSON.parse(readFileSync(file, "utf8")).version;
  };
  return {
    versions: Object.fromEntries(packages.map((name) => [name, version(name)])),
    runtime: runtime === "Node" ? `Node ${process.versions.node}` : runtime,
  };
}

function inPython(packages: readonly string[], python: string): { versions: Record<string, string>; runtime: string } {
  const program = `import json, sys, platform\nfrom importlib.metadata import version\nprint(json.dumps([{p: version(p) for p in sys.argv[1:]}, platform.python_version()]))`;
  const [versions, own] = JSON.parse(execFileSync(python, ["-c", program, ...packages], { encoding: "utf8" }));
  return { versions, runtime: `Python ${own}` };
}
