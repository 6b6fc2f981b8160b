import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FINDINGS } from "../src/findings.ts";
import { NOTES } from "../src/notes.ts";
import { explain, stale } from "../src/report/explain.ts";
import { page } from "../src/report/markdown.ts";
import { table } from "../src/report/table.ts";
import { runReproduction } from "../src/reproductions.ts";
import type { PeersFile } from "../src/results.ts";

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
const file: PeersFile = JSON.parse(read("reports/peers.json"));

test("the page and the README's table are those of the results", () => {
  expect(read("reports/peers.md")).toBe(page(file));
  expect(read("README.md")).toContain(table(file.peers, "reports/peers.md"));
});

test("every failure has an explanation, and every explanation a failure", () => {
  expect(file.peers.flatMap((peer) => explain(peer).rest.map(({ id }) => `${peer.name}: ${id}`))).toEqual([]);
  expect(stale(file.peers)).toEqual([]);
});

const programs = [...new Set([...FINDINGS, ...NOTES].flatMap(({ reproduction }) => reproduction ?? []))];

test.each(programs.filter((name) => name.endsWith(".mjs")))("%s prints what the report says", (name) => {
  expect(runReproduction(name)).toBe(file.reproductions[name]);
});
