import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { checkPackage, createPackageFromTarballData, type Problem } from "@arethetypeswrong/core";
import { fileInTarball, filesInTarball } from "@batchnorm/packing";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { describe, expect, inject, it } from "vitest";

const packed = inject("packed").map((each) => ({ ...each, folder: each.name.replace("@batchnorm/", "") }));
const HOME = "https://github.com/batchnorm/batchnorm";

/**
 * What is no problem of a package that is ES modules alone: `require` gets a module of the other kind (from Node 20.19 and 22.12 on it
 * may), and TypeScript's resolution before `exports`, `node10`, does not find the entries.
 */
function concernsModules(problem: Problem): boolean {
  return problem.kind !== "CJSResolvesToESM" && !("resolutionKind" in problem && problem.resolutionKind === "node10");
}

it("there are eight packages", () => {
  expect(packed).toHaveLength(8);
});

describe.each(packed)("$name", ({ name, version, folder, tarball, manifest }) => {
  it("has no remark of publint, strict", async () => {
    const bytes = await readFile(tarball);
    const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it("has types that are found as its code is, by every resolution that knows exports", async () => {
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(await readFile(tarball))));
    expect(analysis.types).toMatchObject({ kind: "included" });
    expect(analysis.types && "problems" in analysis ? analysis.problems.filter(concernsModules) : analysis).toEqual([]);
  });

  it("says where it lives, for whom it is, and for which Node", () => {
    expect(manifest).toMatchObject({
      license: "MIT",
      type: "module",
      sideEffects: false,
      engines: { node: "^20.19.0 || >=22.12.0" },
      homepage: `${HOME}/tree/main/packages/${folder}#readme`,
      bugs: `${HOME}/issues`,
      repository: { type: "git", url: `git+${HOME}.git`, directory: `packages/${folder}` },
      publishConfig: { access: "public", provenance: true },
    });
    expect(manifest.description).toMatch(/^.{40,140}$/);
    expect((manifest.keywords as string[]).length).toBeGreaterThan(3);
    expect(JSON.stringify(manifest)).not.toMatch(/workspace:|@batchnorm\/source/);
  });

  it("has its README, changes and licence in it, and nothing but what is published", async () => {
    const files = await filesInTarball(tarball);
    expect(files).toEqual(expect.arrayContaining(["README.md", "CHANGELOG.md", "LICENSE", "package.json"]));
    expect(await fileInTarball(tarball, "CHANGELOG.md")).toContain(`\n## ${version}\n`);
    expect(
      files.filter(
        (file) => !/^(dist|bin|docs|vectors|schemas|page\/dist)\/|^(README\.md|CHANGELOG\.md|LICENSE|package\.json)$/.test(file),
      ),
    ).toEqual([]);
  });

  it("has a source map with its source for every module", async () => {
    const files = await filesInTarball(tarball);
    const modules = files.filter((file) => /^dist\/.*\.js$/.test(file));
    expect(modules.filter((file) => !files.includes(`${file}.map`))).toEqual([]);
    for (const file of modules.slice(0, 3)) {
      const map = JSON.parse(await fileInTarball(tarball, `${file}.map`));
      expect(map.sources).toEqual([expect.stringMatching(new RegExp(`src/.*${basename(file, ".js")}\\.ts$`))]);
      expect(map.sourcesContent[0].length).toBeGreaterThan(20);
    }
  });

  it("has a README without links that leave the package", async () => {
    const text = (await fileInTarball(tarball, "README.md")).replaceAll(/^```.*?^```$/gms, "");
    const targets = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target);
    expect(targets.filter((target) => !/^(https:\/\/|#)/.test(target))).toEqual([]);
    expect(text).toContain(`# ${name}\n`);
  });
});
