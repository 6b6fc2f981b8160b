import { runOrThrow } from "./run.ts";

/** The text of a file of a packed package. */
export function fileInTarball(tarball: string, path: string): Promise<string> {
  return runOrThrow("tar", ["-xzOf", tarball, `package/${path}`]);
}

/** The paths of all files of a packed package. */
export async function filesInTarball(tarball: string): Promise<string[]> {
  const listed = await runOrThrow("tar", ["-tzf", tarball]);
  return listed
    .split("\n")
    .filter((path) => path !== "" && !path.endsWith("/"))
    .map((path) => path.replace(/^package\//, ""));
}
