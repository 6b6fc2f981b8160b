import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type PackedPackage, packAll, ROOT, runOrThrow } from "@batchnorm/packing";
import { rolldown } from "rolldown";
import type { Runtime } from "./runtimes.ts";

/** What is published of this repository and is run in the matrix. */
const PACKAGES = ["spec", "onnx-model", "backend-cpu", "backend-onnx", "backend-tfjs", "conformance"].map((name) => `@batchnorm/${name}`);

/** The backends of apps/adapters for Node, Deno and Bun; written last. */
const BUILT = "built/node.js";

/** Milliseconds for the install of everything, runtimes included. */
const LIMIT = 600_000;

/** A folder with the packages as users get them. */
export interface Packed {
  readonly directory: string;
  /** The command line of the suite. */
  readonly command: string;
  readonly vectors: string;
  /** Writes a module whose default export makes a backend, and says where its report goes. */
  filesOf(runtime: Runtime, backend: string): Promise<{ readonly module: string; readonly report: string }>;
}

/** The same in a folder for one run. */
export async function packForOneRun(): Promise<{ readonly packed: Packed; remove(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "batchnorm-packed-"));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    return { packed: await packInto(directory), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * Builds and packs the packages, and installs the tarballs and the runtimes' packages in an empty folder. The backends of apps/adapters
 * are put beside them, since they are no part of any package.
 */
export async function packInto(directory: string): Promise<Packed> {
  await mkdir(directory, { recursive: true });
  if ((await readdir(directory)).length > 0) throw new RangeError(`${directory} is not empty: name an empty folder, or a new one.`);
  await install(directory, await packAll(join(directory, "tarballs")));
  await addAdapters(directory);
  return openPacked(directory);
}

/** @throws RangeError for a folder that `packInto` has not made. */
export function openPacked(name: string): Packed {
  const directory = resolve(name);
  const suite = join(directory, "node_modules/@batchnorm/conformance");
  if (!existsSync(join(directory, BUILT)))
    throw new RangeError(`${name} has no packed packages: conformance:all pack makes such a folder.`);
  return {
    directory,
    command: join(suite, "bin/batchnorm-conformance.js"),
    vectors: join(suite, "vectors"),
    async filesOf({ id, kind }, backend) {
      const name = join(directory, `${id}-${backend.replaceAll(/\W+/g, "-")}`);
      const source = kind === "chromium" || kind === "firefox" ? "./adapters/browser.ts" : `./${BUILT}`;
      await writeFile(`${name}.js`, `import { backends } from "${source}";\n\nexport default backends[${JSON.stringify(backend)}];\n`);
      return { module: `${name}.js`, report: `${name}.json` };
    },
  };
}

async function install(directory: string, packages: readonly PackedPackage[]): Promise<void> {
  const run = packages.filter(({ name }) => PACKAGES.includes(name));
  const tarballs = run.map(({ name, tarball }) => [name, `file:${tarball}`]);
  const { dependencies } = JSON.parse(await readFile(join(ROOT, "apps/adapters/package.json"), "utf8"));
  // The command line bundles what it runs in a browser.
  const { vite } = JSON.parse(await readFile(join(ROOT, "packages/conformance/package.json"), "utf8")).devDependencies;
  const all = { ...dependencies, vite, ...Object.fromEntries(tarballs) };
  await writeFile(join(directory, "package.json"), `${JSON.stringify({ private: true, type: "module", dependencies: all }, null, 2)}\n`);
  // Scripts fetch what is not needed here, such as the CUDA provider of onnxruntime-node.
  await runOrThrow("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: directory, limit: LIMIT });
}

/** As TypeScript for a browser, where they are bundled, and for the programs as JavaScript, which is all that Node 20 reads. */
async function addAdapters(directory: string): Promise<void> {
  await cp(join(ROOT, "apps/adapters/src"), join(directory, "adapters"), { recursive: true });
  const bundle = await rolldown({ input: { node: join(directory, "adapters/node.ts") }, external: /^[^./]/, platform: "node" });
  await bundle.write({ dir: join(directory, "built"), format: "esm" });
  await bundle.close();
}
