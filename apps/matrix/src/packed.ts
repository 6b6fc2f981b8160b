import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { runSoundly } from "./shell.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** What is published of this repository and is run in the matrix. */
const PACKAGES = ["spec", "onnx-model", "backend-cpu", "backend-onnx", "backend-tfjs", "conformance"];

/** Milliseconds. */
const LIMIT = 600_000;

/** A folder with the packages as users get them. */
export interface Packed {
  readonly directory: string;
  /** The command line of the suite. */
  readonly command: string;
  /** A module whose default export makes a backend. */
  moduleOf(backend: string): Promise<string>;
  /** The module of a page that checks the backend which its address names, and what it imports by names that no package has. */
  readonly page: { readonly module: string; readonly aliases: Readonly<Record<string, string>> };
  readonly vectors: string;
  remove(): Promise<void>;
}

/**
 * Builds and packs the packages, and installs the tarballs and the runtimes' packages in an empty folder. The backends of apps/adapters
 * are put beside them, since they are no part of any package.
 */
export async function installPacked(): Promise<Packed> {
  const directory = await mkdtemp(join(tmpdir(), "batchnorm-packed-"));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    await install(directory, await pack(directory));
    await addAdapters(directory);
  } catch (error) {
    await remove();
    throw error;
  }
  const suite = join(directory, "node_modules/@batchnorm/conformance");
  return {
    directory,
    command: join(suite, "bin/batchnorm-conformance.js"),
    moduleOf: async (backend) => {
      const file = join(directory, `${backend.replaceAll(/\W+/g, "-")}.js`);
      await writeFile(file, `import { backends } from "./built/node.js";\n\nexport default backends[${JSON.stringify(backend)}];\n`);
      return file;
    },
    page: {
      module: join(directory, "page.ts"),
      aliases: {
        "virtual:conformance-config": join(directory, "page-config.ts"),
        "@batchnorm/adapters/browser": join(directory, "adapters/browser.ts"),
      },
    },
    vectors: join(suite, "vectors"),
    remove,
  };
}

/** Gives the tarballs by the name of their package. */
async function pack(directory: string): Promise<Map<string, string>> {
  const options = { cwd: ROOT, limit: LIMIT };
  await runSoundly(["npx", "-y", "pnpm@12", "run", "build"], options);
  const to = join(directory, "tarballs");
  await mkdir(to);
  for (const name of PACKAGES) {
    await runSoundly(["npx", "-y", "pnpm@12", "pack", "--pack-destination", to], { ...options, cwd: join(ROOT, "packages", name) });
  }
  const files = await readdir(to);
  const fileOf = (name: string): string => files.find((file) => file.replace(/-\d.*$/, "") === `batchnorm-${name}`)!;
  return new Map(PACKAGES.map((name) => [`@batchnorm/${name}`, `file:${join(to, fileOf(name))}`]));
}

async function install(directory: string, tarballs: ReadonlyMap<string, string>): Promise<void> {
  const { dependencies } = JSON.parse(await readFile(join(ROOT, "apps/adapters/package.json"), "utf8"));
  const all = { ...dependencies, ...Object.fromEntries(tarballs) };
  await writeFile(join(directory, "package.json"), `${JSON.stringify({ private: true, type: "module", dependencies: all }, null, 2)}\n`);
  // Scripts fetch what is not needed here, such as the CUDA provider of onnxruntime-node.
  await runSoundly(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: directory, limit: LIMIT });
}

/** As TypeScript for the page, and for the programs as JavaScript, which is all that Node 20 reads. */
async function addAdapters(directory: string): Promise<void> {
  await cp(join(ROOT, "apps/adapters/src"), join(directory, "adapters"), { recursive: true });
  await cp(join(ROOT, "apps/browser-conformance/src/page.ts"), join(directory, "page.ts"));
  await cp(fileURLToPath(new URL("page-config.ts", import.meta.url)), join(directory, "page-config.ts"));
  const bundle = await rolldown({ input: { node: join(directory, "adapters/node.ts") }, external: /^[^./]/, platform: "node" });
  await bundle.write({ dir: join(directory, "built"), format: "esm" });
  await bundle.close();
}
