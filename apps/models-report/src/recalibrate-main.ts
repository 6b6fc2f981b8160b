import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { RECALIBRATE_FILE, recalibrateFigures, recalibrateTables } from "./recalibrate.ts";

/** Measures `recalibrate`, and puts its section into `reports/models.md`. */
const figures = await recalibrateFigures();
await mkdir(new URL(".", RECALIBRATE_FILE), { recursive: true });
await writeFile(RECALIBRATE_FILE, `${JSON.stringify(figures, null, 1)}\n`);
const section = recalibrateTables(figures);
// The rest of the report is `models-report`'s, which may not have run yet.
if (existsSync("reports/models.md")) {
  const [others] = (await readFile("reports/models.md", "utf8")).split(`\n${section[0]}\n`);
  await writeFile("reports/models.md", `${others.trimEnd()}\n\n${section.join("\n").trimEnd()}\n`);
}
