import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { brokenLinks, readPages } from "../src/built-site.ts";

const folder = mkdtempSync(join(tmpdir(), "built-site-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What is wrong with a site of these files, below `/base/`. */
function check(files: Readonly<Record<string, string>>): string[] {
  rmSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return brokenLinks(readPages(folder, "/base/"), folder, "/base/");
}

const spec = '<h2 id="clause-4-2">Frozen</h2>';

it("takes links to pages, anchors, files and other sites", () => {
  const index = `<a href="/base/spec#clause-4-2">4.2</a> <a href="./spec">spec</a> <a href="#top" id="top">top</a> <a href="/base/a.onnx">a</a>
    <a href="https://github.com/">code</a> <img src="/base/a.svg"> <link href="data:image/svg+xml,x">`;
  expect(check({ "index.html": index, "spec.html": spec, "a.onnx": "", "a.svg": "" })).toEqual([]);
});

it.each([
  ['<a href="/base/missing">m</a>', "/base/ links to /base/missing: there is no such page"],
  ['<a href="/spec">without the base</a>', "/base/ links to /spec: there is no such page"],
  ['<a href="/base/spec#clause-9-9">9.9</a>', "/base/ links to /base/spec#clause-9-9: the page has no such anchor"],
  ['<a href="/base/live/">live</a>', "/base/ links to /base/live/: there is no live page"],
  ['<script src="/base/gone.js"></script>', "/base/ loads /base/gone.js: there is no such file"],
  ['<link href="https://fonts.example/a.css">', "/base/ loads https://fonts.example/a.css, from another host"],
])("refuses %s", (index, sentence) => {
  expect(check({ "index.html": index, "spec.html": spec })).toEqual([sentence]);
});

it("reads a folder's index as the folder, and links from there", () => {
  expect(check({ "guide/index.html": '<a href="./modes">m</a>', "guide/modes.html": '<a href="../guide/">g</a>' })).toEqual([]);
});
