import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { expect, it } from "vitest";

/** What a page loads that creates a layer and calls it, `@batchnorm/spec` included: bundled, minified and gzipped. */
async function bytesOf(program: string): Promise<number> {
  const bundle = await rolldown({
    input: "program",
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    resolve: { conditionNames: ["@batchnorm/source", "import"] },
    plugins: [{ name: "program", resolveId: (id) => (id === "program" ? id : null), load: (id) => (id === "program" ? program : null) }],
  });
  const { output } = await bundle.generate({ minify: true });
  return gzipSync(output.map((each) => ("code" in each ? each.code : "")).join(""), { level: 9 }).length;
}

const LAYER = "globalThis.y = createBackend().create({}, globalThis.state).call(globalThis.x);";

// Each bound is some 2 % above what it was when this was written.
for (const [entry, program, most] of [
  ["the backend", `import { createBackend } from "./src/index.ts"; ${LAYER}`, 20_600],
  ["inference alone", `import { createBackend } from "./src/inference.ts"; ${LAYER}`, 12_800],
  ["the kernels", 'import { createKernels } from "./src/kernels/index.ts"; globalThis.kernels = createKernels();', 11_500],
] as const) {
  it(`${entry} takes less than ${most / 1000} kB, gzipped, with the spec`, async () => {
    expect(await bytesOf(program)).toBeLessThan(most);
  });
}
