import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runOrThrow } from "./run.ts";

/** A package as it is published. */
export interface Packed {
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

/** Builds what is not built, and packs every package into a folder, in the form in which it is published. */
export async function packAll(folder: string): Promise<Packed[]> {
  await mkdir(folder, { recursive: true });
  await runOrThrow("npx", ["-y", "pnpm@12", "exec", "turbo", "run", "build", "--output-logs=errors-only"], { cwd: ROOT });
  await runOrThrow("npx", ["-y", "pnpm@12", "--recursive", "--filter", "./packages/*", "pack", "--pack-destination", folder], {
    cwd: ROOT,
  });
  const tarballs = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  return Promise.all(
    tarballs.map(async (name) => {
      const tarball = join(folder, name);
      const manifest = JSON.parse(await fileInTarball(tarball, "package.json")) as Manifest;
      return { name: manifest.name, version: manifest.version, tarball, manifest };
    }),
  );
}

/** The text of a file of a packed package. */
export function fileInTarball(tarball: string, path: string): Promise<string> {
  return runOrThrow("tar", ["-xzOf", tarball, `package/${path}`], { cwd: ROOT });
}

/** The paths of all files of a packed package. */
export async function filesInTarball(tarball: string): Promise<string[]> {
  const listed = await runOrThrow("tar", ["-tzf", tarball], { cwd: ROOT });
  return listed
    .split("\n")
    .filter((path) => path !== "" && !path.endsWith("/"))
    .map((path) => path.replace(/^package\//, ""));
}

/** The README of a package of this repository. */
export function readme(name: string): Promise<string> {
  return readFile(join(ROOT, "packages", name, "README.md"), "utf8");
}
