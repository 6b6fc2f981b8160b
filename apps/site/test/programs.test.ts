import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import { runProgram } from "../../../scripts/readme-example.ts";
import { ROOT, SITE } from "../src/place.ts";
import { pagePrograms } from "../src/programs.ts";

// Below the site, so that the packages are found.
const folder = mkdtempSync(`${SITE}/.programs-`);
const weights = `${ROOT}/packages/weights/test/files`;
for (const file of [
  `${weights}/keras/functional.keras`,
  `${weights}/tfjs/layers`,
  `${weights}/pytorch/net.safetensors`,
  `${ROOT}/packages/onnx-model/test/models/recalibration/digits.onnx`,
]) {
  cpSync(file, file.endsWith("/layers") ? folder : `${folder}/${file.slice(file.lastIndexOf("/") + 1).replace("net.", "model.")}`, {
    recursive: true,
  });
}
afterAll(() => rmSync(folder, { recursive: true }));

const programs = pagePrograms();

it("finds the programs of the guide and of all five porting pages", () => {
  const pages = programs.filter(({ name }) => name.startsWith("porting/")).map(({ name }) => name.replace(/,.*/, ""));
  expect([...new Set(pages)]).toHaveLength(5);
  expect(programs.length).toBeGreaterThan(12);
});

it.each(programs)("$name prints what its comments say", ({ name, text, prints }) => {
  const printed = runProgram(name, text, folder);
  // The first program of the start shows arrays whose digits it cuts off: test/readme.test.ts of the repository holds them.
  if (text.includes("…")) return expect(printed.trim().split("\n").length).toBeGreaterThan(0);
  expect(prints.length).toBeGreaterThan(0);
  expect(printed.trimEnd().split("\n")).toEqual(prints);
});
