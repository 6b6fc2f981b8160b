import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { apiPages } from "./pages/api.ts";
import { decisionPages } from "./pages/decisions.ts";
import { errorPages } from "./pages/errors.ts";
import { reportPages } from "./pages/reports.ts";
import { specPage } from "./pages/spec.ts";
import { PAGES, ROOT } from "./place.ts";

/** The folders and files below `pages` that are generated, and that git does not know. */
const GENERATED = ["api", "decisions", "errors", "reports", "spec.md", "public/examples"];

/** Models that a visitor may look into who has none at hand. */
const EXAMPLES: Readonly<Record<string, string>> = {
  "digits.onnx": "packages/onnx-model/test/models/recalibration/digits.onnx",
  "functional.keras": "packages/weights/test/files/keras/functional.keras",
};

/** Writes every page that is not written by hand. */
export async function generate(): Promise<void> {
  for (const path of GENERATED) await rm(`${PAGES}/${path}`, { recursive: true, force: true });
  const pages = [await specPage(), ...(await errorPages()), ...(await reportPages()), ...(await decisionPages())];
  for (const { path, text } of pages) {
    await mkdir(dirname(`${PAGES}/${path}`), { recursive: true });
    await writeFile(`${PAGES}/${path}`, text);
  }
  await mkdir(`${PAGES}/public/examples`, { recursive: true });
  for (const [name, source] of Object.entries(EXAMPLES)) await copyFile(`${ROOT}/${source}`, `${PAGES}/public/examples/${name}`);
  await apiPages(`${PAGES}/api`);
}
