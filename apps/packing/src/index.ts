export { type Manifest, type PackedPackage, packAll, ROOT } from "./pack.ts";
export { type Finished, howItEnded, type RunOptions, run, runOrThrow } from "./run.ts";
export { fileInTarball, filesInTarball } from "./tarball.ts";
