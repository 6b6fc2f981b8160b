import { readFile } from "node:fs/promises";
import { createRequire, isBuiltin } from "node:module";
import { fileURLToPath } from "node:url";
import * as vite from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Served, serveDirectory } from "../src/browser/serve.ts";
import { fetchVectors } from "../src/vectors/load.ts";
import { readVectors, VECTORS_DIRECTORY } from "../src/vectors/read.ts";

/** Every module that a module loads, and what those load, by their files, or by their names where they are Node's. Types load nothing. */
async function modulesFrom(entry: string): Promise<Set<string>> {
  const found = new Set<string>();
  const visit = async (file: string): Promise<void> => {
    if (found.has(file)) return;
    found.add(file);
    const text = await readFile(file, "utf8");
    const imports = /^\s*(?:import|export)\s(?!type\s)(?:[^"';]*?\sfrom\s*)?["']([^"']+)["']|\brequire\(["']([^"']+)["']\)/gm;
    for (const [, imported, required] of text.matchAll(imports)) {
      const name = imported ?? required;
      if (isBuiltin(name)) found.add(name);
      else if (name === "vitest") found.add(name);
      else await visit(locate(name, file));
    }
  };
  await visit(entry);
  return found;
}

function locate(name: string, from: string): string {
  if (name === "@batchnorm/spec") return fileURLToPath(new URL("../../spec/src/index.ts", import.meta.url));
  return createRequire(from).resolve(name);
}

const source = (name: string): string => fileURLToPath(new URL(`../src/${name}`, import.meta.url));
const builtins = (modules: ReadonlySet<string>): string[] => [...modules].filter(isBuiltin);

describe("the core entry", () => {
  it("loads no module of Node, nor does anything that it loads", async () => {
    const modules = await modulesFrom(source("index.ts"));
    expect(builtins(modules)).toEqual([]);
    // The walk has gone where it should: into this package, the spec and the packages of others.
    for (const part of ["conformance/src/suite.ts", "spec/src/layer.ts", "fast-check", "pure-rand"]) {
      expect([...modules].some((name) => name.includes(part))).toBe(true);
    }
  });

  it("is told apart from the entries for Node by the same walk", async () => {
    expect(builtins(await modulesFrom(source("node.ts")))).toContain("node:fs/promises");
    expect(builtins(await modulesFrom(source("vitest.ts")))).toEqual([]);
  });
});

describe("fetchVectors", () => {
  let site: Served;
  let origin: string;

  beforeAll(async () => {
    site = await serveDirectory(vite, VECTORS_DIRECTORY, { base: "/packages/vectors/" });
    ({ origin } = new URL(site.url));
  });

  afterAll(() => site?.close());

  it.each(["/packages/vectors/", "/packages/vectors"])("loads over HTTP what lies on disk, from %s", async (path) => {
    const [fetched, read] = await Promise.all([fetchVectors(origin + path), readVectors()]);
    expect(fetched.sha256).toBe(read.sha256);
    expect(fetched.cases).toEqual(read.cases);
  });

  it("takes a URL, and leaves it as it is", async () => {
    const url = new URL("/packages/vectors", origin);
    expect((await fetchVectors(url)).cases.length).toBeGreaterThan(400);
    expect(url.pathname).toBe("/packages/vectors");
  });

  it("says what could not be fetched, and from where", async () => {
    const wrong = `${origin}/packages/nowhere`;
    await expect(fetchVectors(wrong)).rejects.toThrow(`Vectors: manifest.json could not be fetched from ${wrong}/ (HTTP 404).`);
  });

  it("takes a URL relative to the page, where there is one", async () => {
    const page = globalThis as { location?: { href: string } };
    page.location = { href: `${origin}/packages/page.html` };
    try {
      expect((await fetchVectors("vectors")).cases.length).toBeGreaterThan(400);
    } finally {
      delete page.location;
    }
  });
});
