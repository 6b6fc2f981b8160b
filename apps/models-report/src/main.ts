import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { CASES } from "./cases.ts";
import { foldErrors } from "./folds.ts";
import { halves } from "./halves.ts";
import { markdown } from "./markdown.ts";
import { times } from "./times.ts";
import { type FormRow, formRow } from "./tools.ts";

/** Writes `reports/models.md`. */
const forms: FormRow[] = [];
for (const { form, known } of CASES) {
  process.stderr.write(`${form}\n`);
  forms.push(await formRow(form, known));
}
process.stderr.write("folds, float16, times\n");
const report = markdown({
  machine: `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, Node ${process.versions.node}`,
  versions: await versions(["onnxruntime-node", "onnxsim"]),
  forms,
  errors: await foldErrors(),
  halves: await halves(),
  times: await times(),
  recalibration: [],
});
await mkdir("reports", { recursive: true });
await writeFile("reports/models.md", report);
// onnxsim's WebAssembly keeps the process alive.
process.exit(0);

async function versions(names: readonly string[]): Promise<string> {
  const all = names.map(async (name) => {
    const url = new URL(`../node_modules/${name}/package.json`, import.meta.url);
    return `${name} ${JSON.parse(await readFile(url, "utf8")).version}`;
  });
  return (await Promise.all(all)).join(", ");
}
