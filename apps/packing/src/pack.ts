import { mkdir, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { runOrThrow } from "./run.ts";
import { fileInTarball } from "./tarball.ts";

/** A package as it is published. */
export interface PackedPackage {
  readonly name: string;
  readonly version: string;
  /** The path of its tarball. */
  readonly tarball: string;
  readonly manifest: Manifest;
}

/** What of a package.json is of interest here. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly [field: string]: unknown;
}

export const ROOT: string = fileURLToPath(new URL("../../../", import.meta.url));

/** Milliseconds for each of the two steps, on a busy machine. */
const LIMIT = 600_000;

/** Builds what is not built, and packs every package into a folder, in the form in which it is published. */
export async function packAll(folder: string): Promise<PackedPackage[]> {
  const to = resolve(folder);
  await mkdir(to, { recursive: true });
  await pnpm("exec", "turbo", "run", "build", "--output-logs=errors-only");
  await pnpm("--recursive", "--filter", "./packages/*", "pack", "--pack-destination", to);
  const tarballs = (await readdir(to)).filter((name) => name.endsWith(".tgz"));
  return Promise.all(
    tarballs.map(async (file) => {
      const tarball = join(to, file);
      const manifest = JSON.parse(await fileInTarball(tarball, "package.json")) as Manifest;
      return { name: manifest.name, version: manifest.version, tarball, manifest };
    }),
  );
}

function pnpm(...args: readonly string[]): Promise<string> {
  return runOrThrow("npx", ["-y", "pnpm@12", ...args], { cwd: ROOT, limit: LIMIT });
}
