import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { noBrowser, withBrowser } from "@batchnorm/in-browser";
import { type Finished, ROOT, run } from "@batchnorm/packing";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { Project } from "../src/project.ts";
import { readme } from "../src/readme.ts";
import { BUN, DENO } from "../src/runtimes.ts";

// What somebody does who has read the README of the suite and nothing else: from an empty folder, in the words of the README.

const text = readme("conformance");

/** The code blocks of a language, in their order. */
function blocks(language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, code]) => code);
}

/** The same line for every run: figures and times are not. */
function shape(line: string): string {
  return line.replaceAll(/\d+(\.\d+)?/g, "N").replaceAll(/N min N s|N s/g, "TIME");
}

const npx = (folder: string, ...argv: readonly string[]): Promise<Finished> =>
  run("npx", ["--no-install", "batchnorm-conformance", ...argv], { cwd: folder });

describe("from an empty folder", () => {
  let project: Project;
  beforeAll(async () => {
    project = await Project.create("npm", inject("registry"));
    const [install] = blocks("sh");
    const words = install.trim().split(" ");
    expect(words.slice(0, 2)).toEqual(["npm", "install"]);
    await project.install(...words.slice(2));
    await project.write("adapter.mjs", blocks("js")[0]);
  });
  afterAll(() => project?.remove());

  it("the first run is green and ends as the README says", async () => {
    const command = blocks("sh")[1].trim();
    expect(command).toBe("npx batchnorm-conformance adapter.mjs");
    const { status, stdout, stderr } = await npx(project.folder, "adapter.mjs");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const printed = stdout.split("\n").map(shape);
    for (const line of blocks("text")[0].split("\n")) {
      if (line.endsWith("...")) expect(printed).toContainEqual(expect.stringContaining(shape(line.slice(0, -3)).slice(0, 40)));
      else expect(printed).toContain(shape(line));
    }
  });

  it("without the epsilon it fails, and says where", async () => {
    await project.write("wrong.mjs", blocks("js")[0].replace(" + config.epsilon", ""));
    const { status, stdout } = await npx(project.folder, "wrong.mjs", "--only", "5.1");
    expect(status).toBe(1);
    expect(stdout).toMatch(/✗ inference\/\S+\n +step 0, y\[0,0\]: expected \S+, got \S+; the error is \S+ ULP, \S+ times the bound/);
  });

  it("a browser without vite is one sentence", async () => {
    const { status, stdout, stderr } = await npx(project.folder, "adapter.mjs", "--browser", "chromium");
    // Without a browser, that is what is missing first.
    const words =
      noBrowser("chromium") === null
        ? "--browser needs vite, which bundles the adapter: npm install --save-dev vite."
        : "There is no chromium";
    expect([status, stdout, stderr]).toEqual([2, "", expect.stringContaining(words)]);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});

describe("the template, copied", () => {
  let project: Project;
  beforeAll(async () => {
    project = await Project.create("npm", inject("registry"));
    await cp(join(ROOT, "examples/adapter"), project.folder, { recursive: true });
    await project.install();
  });
  afterAll(() => project?.remove());

  it("is green as it stands: npm test", async () => {
    const { status, stdout } = await run("npm", ["test", "--", "--quick"], { cwd: project.folder });
    expect([status, stdout]).toEqual([0, expect.stringMatching(/✓ my-batchnorm {2}\d{3} passed, \d+ skipped/)]);
    expect(stdout).toMatch(/! \d+ skipped: .*out is not supported \(16\)/);
  });

  it.each([
    { name: "Deno", runtime: DENO, command: "deno run -A npm:@batchnorm/conformance adapter.mjs" },
    { name: "Bun", runtime: BUN, command: "bunx --bun batchnorm-conformance adapter.mjs" },
  ])("runs on $name as the README says", async ({ runtime, command }) => {
    expect(text).toContain(`\`${command}\``);
    const [program, ...argv] = command.split(" ");
    const bin = join(runtime.command[0], "..", program);
    const { status, stdout } = await run(bin, [...argv, "--quick", "--only", "10"], { cwd: project.folder });
    expect([status, stdout]).toEqual([0, expect.stringMatching(/✓ my-batchnorm {2}\d+ passed {2}worst error/)]);
  });

  describe.skipIf(noBrowser("chromium") !== null)(withBrowser("chromium", "in a browser"), () => {
    it("runs with vite beside it", async () => {
      await project.install("vite@8.3.8");
      const { status, stdout, stderr } = await npx(project.folder, "adapter.mjs", "--browser", "chromium", "--quick", "--only", "10");
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toMatch(/✓ my-batchnorm {2}\d+ passed/);
    });
  });

  it("is what the action runs, with JUnit and a summary", async () => {
    const folder = project.folder;
    const env = {
      ADAPTER: "adapter.mjs",
      EXEC: "",
      BROWSER: "",
      OPTIONS: "--quick --only 10",
      JUNIT: "junit.xml",
      VERSION: "latest",
      GITHUB_STEP_SUMMARY: join(folder, "summary.md"),
      GITHUB_OUTPUT: join(folder, "output"),
    };
    const script = join(ROOT, "scripts/conformance-action.sh");
    const { status } = await run("bash", [script], { cwd: folder, env });
    expect(status).toBe(0);
    expect(await readFile(join(folder, "junit.xml"), "utf8")).toMatch(/<testsuites[^>]* failures="0"/);
    expect(await readFile(join(folder, "summary.md"), "utf8")).toContain("| my-batchnorm");
    expect(await readFile(join(folder, "output"), "utf8")).toBe(`junit=${join(folder, "junit.xml")}\n`);

    const adapter = await readFile(join(folder, "adapter.mjs"), "utf8");
    await project.write("wrong.mjs", adapter.replace("(1 - config.momentum) * mean[c]", "config.momentum * mean[c]"));
    const wrong = await run("bash", [script], { cwd: folder, env: { ...env, ADAPTER: "wrong.mjs", OPTIONS: "--quick --only 7.1" } });
    expect(wrong.status).toBe(1);
    expect(await readFile(join(folder, "junit.xml"), "utf8")).toMatch(/<failure/);
  });
});

it("the action and the workflow hand every input on", async () => {
  const [action, workflow, script] = await Promise.all(
    ["action.yml", ".github/workflows/conformance.yml", "scripts/conformance-action.sh"].map((path) => readFile(join(ROOT, path), "utf8")),
  );
  const inputs = [...action.split("\noutputs:")[0].matchAll(/^ {2}([a-z-]+):$/gm)].map(([, name]) => name);
  expect(inputs).toEqual(["adapter", "exec", "browser", "options", "working-directory", "junit", "version"]);
  for (const name of inputs) expect(action).toContain(`\${{ inputs.${name} }}`);
  for (const [, variable] of action.matchAll(/^ {8}([A-Z]+): /gm)) expect(script).toContain(`$${variable}`);
  for (const name of ["adapter", "exec", "browser", "options", "working-directory"]) {
    expect(workflow).toContain(`          ${name}: \${{ inputs.${name} }}\n`);
  }
});
