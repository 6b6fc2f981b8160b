import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, run } from "@batchnorm/packing";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Manager, Project } from "../src/project.ts";
import { type Example, examplesOf, installedBy, printedFromSources, writeExample } from "../src/readme.ts";
import { ALL, NEWEST_NODE, OLDEST_NODE, OLDEST_NODE_22, RUNTIMES, runFile } from "../src/runtimes.ts";

const MANAGERS: readonly Manager[] = ["npm", "pnpm"];

/** What nobody gets who did not ask for it. */
const HEAVY = /^(@tensorflow\/|onnxruntime-)/;

/**
 * The packages, the examples of their READMEs that are whole programs for a command line, and what their users may find installed of
 * the heavy runtimes.
 */
const PACKAGES = [
  { name: "spec", programs: [0], runtimes: [] },
  { name: "backend-cpu", programs: [0, 1, 2], runtimes: [] },
  // The third is for a page; see bundles.test.ts.
  { name: "backend-onnx", programs: [0, 1], runtimes: ["onnxruntime-common", "onnxruntime-web"] },
  {
    name: "backend-tfjs",
    programs: [0],
    runtimes: ["backend-cpu", "backend-webgl", "converter", "core", "data", "layers"].map((each) => `@tensorflow/tfjs-${each}`),
  },
  { name: "onnx-model", programs: [0, 1], runtimes: [] },
  { name: "weights", programs: [0], runtimes: [] },
  { name: "conformance", programs: [], runtimes: [] },
  { name: "cli", programs: [], runtimes: [] },
] as const;

/** What can be imported of a package; the entry for Vitest wants Vitest, and vectors are no code. */
function entriesOf(name: string): string[] {
  const { exports } = inject("packed").find((each) => each.name === `@batchnorm/${name}`)!.manifest;
  const entries = Object.keys(exports as object).filter((entry) => !entry.includes("*") && entry !== "./vitest");
  return entries.map((entry) => `@batchnorm/${name}${entry.slice(1)}`);
}

describe.each(MANAGERS)("installed by %s", (manager) => {
  describe.each(PACKAGES)("$name, as its README says", ({ name, programs, runtimes }) => {
    let project: Project;
    beforeAll(async () => {
      project = await Project.create(manager, inject("registry"));
      await project.install(...installedBy(name));
    });
    afterAll(() => project?.remove());

    it("brings no runtime but its own", async () => {
      const installed = await project.installed();
      expect(installed).toContain(`@batchnorm/${name}`);
      const wanted = name === "backend-tfjs" ? ["@tensorflow/tfjs", ...runtimes] : runtimes;
      expect(installed.filter((each) => HEAVY.test(each))).toEqual(wanted);
    });

    if (name === "backend-cpu") {
      it("is the spec and itself", async () => {
        expect(await project.installed()).toEqual(["@batchnorm/backend-cpu", "@batchnorm/spec"]);
      });
    }

    const examples = examplesOf(name).filter(({ index }) => (programs as readonly number[]).includes(index));
    it.runIf(examples.length > 0)(`has ${programs.length} examples that are programs`, () => {
      expect(examples).toHaveLength(programs.length);
    });
    describe.each(examples)("example $index", (example: Example) => {
      // What runs a program does not depend on who installed it: pnpm's projects are tried in one runtime, but where all is asked for.
      it.each(manager === "npm" || ALL ? RUNTIMES : [NEWEST_NODE])("prints in $name what it prints here", async (runtime) => {
        const file = await writeExample(project, example);
        const printed = await runFile(runtime, project.folder, `${file}.${runtime.typescript ? "ts" : "mjs"}`);
        expect(printed).toBe(printedFromSources(example));
      });
    });

    const entries = entriesOf(name);
    it.each([OLDEST_NODE, OLDEST_NODE_22])(`has ${entries.length} entries that $name takes with require`, async (node) => {
      await project.write("require.cjs", `for (const e of ${JSON.stringify(entries)}) console.log(e, Object.keys(require(e)).length > 0);`);
      expect(await runFile(node, project.folder, "require.cjs")).toBe(entries.map((entry) => `${entry} true\n`).join(""));
    });

    if (name === "conformance") {
      it.each(manager === "npm" || ALL ? [OLDEST_NODE, NEWEST_NODE] : [NEWEST_NODE])(
        "holds the README's first adapter against the spec, in $name",
        async ({ command: [program] }) => {
          const adapter = /^```js\n(.*?)^```$/ms.exec(readFileSync(join(ROOT, "packages/conformance/README.md"), "utf8"))?.[1] ?? "";
          await project.write("adapter.mjs", adapter);
          const command = "node_modules/@batchnorm/conformance/bin/batchnorm-conformance.js";
          const { status, stdout, stderr } = await run(program, [command, "adapter.mjs", "--quick"], { cwd: project.folder });
          expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
          expect(stdout).toMatch(/✓ mine {2}\d{3} passed/);
        },
      );
    }

    if (name === "cli") {
      it("prints for the README's model what the README shows", async () => {
        const model = readFileSync(join(ROOT, "packages/onnx-model/test/models/recalibration/digits.onnx"));
        await project.write("digits.onnx", model);
        const { stdout, stderr } = await run("npx", ["--no-install", "batchnorm", "inspect", "digits.onnx"], { cwd: project.folder });
        expect(stderr).toBe("");
        expect(readFileSync(join(ROOT, "packages/cli/README.md"), "utf8")).toContain(`$ batchnorm inspect digits.onnx\n${stdout}`);
      });
    }
  });
});
