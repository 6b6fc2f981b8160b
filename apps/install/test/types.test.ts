import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { run } from "@batchnorm/packing";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { Project } from "../src/project.ts";
import { examplesOf, installedBy, writeExample } from "../src/readme.ts";
import { ALL } from "../src/runtimes.ts";

const require = createRequire(import.meta.url);
const compiler = (name: string): string => join(dirname(require.resolve(`${name}/package.json`)), "bin/tsc");

/** The oldest TypeScript that knows what the declarations say, and the one that compiled them. */
const COMPILERS = [
  { version: "5.7", path: compiler("typescript-5.7") },
  { version: "7.0", path: compiler("typescript") },
];
const RESOLUTIONS = [
  { resolution: "node16", module: "node16" },
  { resolution: "nodenext", module: "nodenext" },
  { resolution: "bundler", module: "esnext" },
];

const NAMES = ["spec", "backend-cpu", "backend-onnx", "onnx-model", "weights", "conformance"];

/** Errors of the examples and of these packages. tfjs 4.22's own declarations do not hold without skipLibCheck: theirs are not counted. */
const OURS = /^example-|@batchnorm\//;

describe.each([
  // The second example of onnx-model executes a model, and says which runtimes it takes.
  { what: "all packages but tfjs", names: NAMES, beside: ["onnxruntime-node"], counted: /^/ },
  { what: "backend-tfjs", names: ["backend-tfjs"], beside: [], counted: OURS },
])("the examples of $what, strict and without skipLibCheck", ({ names, beside, counted }) => {
  let project: Project;
  let files: string[];
  beforeAll(async () => {
    project = await Project.create("pnpm", inject("registry"));
    await project.install(...new Set(names.flatMap(installedBy)), ...beside, "@types/node@24.19.2");
    const examples = names.flatMap(examplesOf);
    // Those that import what is only an example's name: an adapter, a backend of the reader, and Vitest.
    const whole = examples.filter(({ source }) => !/"(my-backend|\.\/my-adapter\.ts|.*\/vitest)"/.test(source));
    files = await Promise.all(whole.map(async (example) => `${await writeExample(project, example)}.ts`));
  });
  afterAll(() => project?.remove());

  describe.each(COMPILERS)("TypeScript $version", ({ version, path }) => {
    // The oldest is ten times slower than the newest, which is a native program.
    it.each(version === "7.0" || ALL ? RESOLUTIONS : RESOLUTIONS.slice(0, 1))("$resolution", async ({ resolution, module }) => {
      const options = ["--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false", "--target", "es2022", "--types", "node"];
      const args = [path, "--noEmit", ...options, "--module", module, "--moduleResolution", resolution, ...files];
      const { stdout } = await run(process.execPath, args, { cwd: project.folder });
      expect(files.length).toBeGreaterThan(0);
      // A line that begins with a space belongs to the error before it.
      const errors = stdout.split("\n").filter((line) => line !== "" && !line.startsWith(" ") && counted.test(line));
      expect(errors).toEqual([]);
    });
  });
});

describe("half precision, strict and without skipLibCheck", () => {
  let project: Project;
  beforeAll(async () => {
    project = await Project.create("pnpm", inject("registry"));
    await project.install(...installedBy("backend-cpu"));
    const bits = '{ data: Uint16Array.of(0x3c00, 0), shape: [1, 2], dtype: "float16" }';
    const program = (value: string): string => `import type { HostTensor } from "@batchnorm/backend-cpu";
export const x: HostTensor = ${value};
`;
    await project.write("bits.ts", program(bits));
    await project.write("array.ts", program("{ data: Float16Array.of(1, 0), shape: [1, 2] }"));
  });
  afterAll(() => project?.remove());

  it.each([
    { version: "5.7", lib: "es2022", knows: false },
    { version: "7.0", lib: "es2022", knows: false },
    { version: "7.0", lib: "esnext", knows: true },
  ])("TypeScript $version with the lib $lib", async ({ version, lib, knows }) => {
    const { path } = COMPILERS.find((each) => each.version === version)!;
    const options = ["--strict", "--skipLibCheck", "false", "--module", "nodenext", "--target", "es2022", "--lib", `${lib},dom`];
    const compile = async (file: string): Promise<string> =>
      (await run(process.execPath, [path, "--noEmit", ...options, file], { cwd: project.folder })).stdout;
    expect(await compile("bits.ts")).toBe("");
    // dom has WebAssembly, which backend-cpu speaks of. Where the compiler knows no such array, that alone is an error, and it is the program's.
    expect(await compile("array.ts")).toMatch(knows ? /^$/ : /^array\.ts\(2,\d+\): error TS\d+: [^\n]*Float16Array[^\n]*\n$/);
  });
});
