import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ROOT } from "@batchnorm/packing";
import { build } from "esbuild";

/** What a bundle is made of. */
export interface Weight {
  /** Its bytes, minified and gzipped. */
  readonly gzipped: number;
  readonly minified: number;
  /** The minified bytes of each of its modules, the largest first. */
  readonly modules: readonly (readonly [path: string, bytes: number])[];
}

/** Bundles a program for a page from the sources, without the runtimes: what these packages add to it. */
export async function weigh(program: string): Promise<Weight> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: join(ROOT, "apps/install") },
    outfile: "page.js",
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    conditions: ["@batchnorm/source"],
    external: ["onnxruntime-*", "@tensorflow/*"],
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const [{ contents }] = outputFiles;
  const [{ inputs }] = Object.values(metafile.outputs);
  const modules = Object.entries(inputs).map(([path, { bytesInOutput }]) => [path.replace(/^.*?packages\//, ""), bytesInOutput] as const);
  return { gzipped: gzipSync(contents, { level: 9 }).length, minified: contents.length, modules: modules.sort(([, a], [, b]) => b - a) };
}
