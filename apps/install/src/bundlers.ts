import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import commonjsPlugin from "@rollup/plugin-commonjs";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import * as esbuild from "esbuild";
import { rollup } from "rollup";
import * as vite from "vite";
import webpack from "webpack";

// Its types say that the function is under `default`, and it is the module itself.
const commonjs = commonjsPlugin as unknown as typeof commonjsPlugin.default;

/** Makes of a module and what it imports a site: `index.html` and what it loads, in a folder. */
export interface Bundler {
  readonly name: string;
  bundle(module: string, project: string, site: string): Promise<void>;
}

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Bundled</title><link rel="icon" href="data:,">
<script type="module" src="/MODULE"></script></head></html>
`;

/** Each with what its own documentation begins with: no option that another than a plain page in a browser of today would need. */
export const BUNDLERS: readonly Bundler[] = [
  {
    name: "Vite",
    async bundle(module, project, site) {
      await writeFile(join(project, "index.html"), PAGE.replace("MODULE", module));
      await vite.build({
        configFile: false,
        root: project,
        logLevel: "error",
        build: { outDir: site, emptyOutDir: true, chunkSizeWarningLimit: Number.POSITIVE_INFINITY },
      });
    },
  },
  {
    name: "webpack",
    async bundle(module, project, site) {
      const compiler = webpack({
        mode: "production",
        context: project,
        entry: `./${module}`,
        output: { path: site, filename: "main.js", module: true },
        experiments: { outputModule: true },
        performance: false,
      });
      if (compiler === null) throw new Error("webpack made no compiler");
      const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) =>
        compiler.run((error, result) => (error ? reject(error) : resolve(result))),
      );
      await new Promise((resolve) => compiler.close(resolve));
      if (stats === undefined || stats.hasErrors()) throw new Error(stats?.toString({ all: false, errors: true }));
      await writeFile(join(site, "index.html"), PAGE.replace("MODULE", "main.js"));
    },
  },
  {
    name: "Rollup",
    async bundle(module, project, site) {
      // tfjs 4.22 has parts in CommonJS.
      const plugins = [nodeResolve({ browser: true }), commonjs()];
      const bundle = await rollup({ input: join(project, module), plugins, onwarn: () => undefined });
      await bundle.write({ dir: site, format: "es", entryFileNames: "main.js" });
      await bundle.close();
      await writeFile(join(site, "index.html"), PAGE.replace("MODULE", "main.js"));
    },
  },
  {
    name: "esbuild",
    async bundle(module, project, site) {
      await esbuild.build({
        absWorkingDir: project,
        entryPoints: { main: module },
        outdir: site,
        bundle: true,
        minify: true,
        format: "esm",
        logLevel: "silent",
      });
      await writeFile(join(site, "index.html"), PAGE.replace("MODULE", "main.js"));
    },
  },
];

/** Copies files of onnxruntime-web to where its code, bundled by what does not know `new URL(file, import.meta.url)`, looks for them. */
export async function copyOnnxRuntime(project: string, site: string, names: readonly string[]): Promise<void> {
  await mkdir(site, { recursive: true });
  for (const name of names) await cp(join(project, "node_modules/onnxruntime-web/dist", name), join(site, name));
}
