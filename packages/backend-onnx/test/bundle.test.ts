import { fileURLToPath } from "node:url";
import { build, defaultClientConditions, type Rolldown } from "vite";
import { expect, test } from "vitest";

interface Bundle {
  /** The modules of all chunks, by their paths. */
  readonly modules: readonly string[];
  /** The names of the files besides the code. */
  readonly assets: readonly string[];
}

/** What vite makes of a module of `test/bundles`, for browsers, packages of the workspace from their sources. */
async function bundle(module: string): Promise<Bundle> {
  const built = (await build({
    configFile: false,
    logLevel: "error",
    resolve: { conditions: ["@batchnorm/source", ...defaultClientConditions] },
    build: {
      write: false,
      target: "esnext",
      chunkSizeWarningLimit: Number.POSITIVE_INFINITY,
      rolldownOptions: {
        input: fileURLToPath(new URL(`bundles/${module}`, import.meta.url)),
        preserveEntrySignatures: "strict",
      },
    },
  })) as Rolldown.RolldownOutput;
  const chunks = built.output.filter((each) => each.type === "chunk");
  return {
    modules: chunks.flatMap(({ moduleIds }) => moduleIds),
    assets: built.output.filter(({ type }) => type === "asset").map(({ fileName }) => fileName),
  };
}

test("the entry for a runtime of one's own has no runtime in it", async () => {
  const { modules, assets } = await bundle("custom.ts");
  expect(modules.some((each) => each.endsWith("backend-onnx/src/backend.ts"))).toBe(true);
  expect(modules.filter((each) => /onnxruntime/.test(each))).toEqual([]);
  expect(assets).toEqual([]);
});

test("the main entry has onnxruntime-web's files with it, whatever is used of it", async () => {
  const { assets } = await bundle("default.ts");
  expect(assets.filter((each) => each.endsWith(".wasm"))).toHaveLength(2);
});
