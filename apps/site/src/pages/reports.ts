import { copyFile, mkdir, readdir, readFile } from "node:fs/promises";
import { type GeneratedPage, PAGES, ROOT } from "../place.ts";
import { frontMatter, withLinks } from "./links.ts";
import { anchorOf } from "./spec.ts";

/** A report that there is: its page and its title. */
export interface Report {
  readonly name: string;
  readonly title: string;
  readonly text: string;
}

/** In the order of the menu; others come after these. */
const ORDER = ["conformance", "matrix", "peers", "models", "benchmark"];

/** The reports that the repository has, in the order of the menu. */
export async function readReports(): Promise<Report[]> {
  const names = (await readdir(`${ROOT}/reports`)).filter((name) => name.endsWith(".md")).map((name) => name.replace(/\.md$/, ""));
  const rank = (name: string): number => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  names.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(`${ROOT}/reports/${name}.md`, "utf8");
      return { name, title: /^# (.*)$/m.exec(text)?.[1] ?? name, text };
    }),
  );
}

/** Every report of reports/, with its pictures. Wide tables get the room of the whole page. */
export async function reportPages(): Promise<GeneratedPage[]> {
  const reports = await readReports();
  const folder = `${PAGES}/reports`;
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(`${ROOT}/reports`)) {
    if (/\.(svg|png)$/.test(name)) await copyFile(`${ROOT}/reports/${name}`, `${folder}/${name}`);
  }
  const list = reports.map(({ name, title }) => `- [${title}](/reports/${name})`).join("\n");
  const intro = "# Reports\n\nWhat was measured, and by what command: every report says how to make it again.\n\n";
  return [
    { path: "reports/index.md", text: `${frontMatter({ aside: false })}${intro}${list}\n` },
    ...reports.map(({ name, text }) => {
      const source = `reports/${name}.md`;
      return {
        path: source,
        text: frontMatter({ source, pageClass: "wide", aside: false }) + withAnchors(withClauses(withLinks(text, source))),
      };
    }),
  ];
}

/** The anchors that GitHub gives to names such as `tfjs/cpu`, since the reports link to these: it drops the slash, VitePress does not. */
function withAnchors(text: string): string {
  return text.replaceAll(/^#+ (\S+\/\S+)$/gm, (heading, name: string) => `${heading} {#${name.toLowerCase().replaceAll("/", "")}}`);
}

/** A table that goes clause by clause names them in its first column. */
function withClauses(text: string): string {
  return text.replaceAll(/^\| (\d{1,2}\.\d{1,2}) \|/gm, (_, number: string) => `| [${number}](/spec#${anchorOf(number)}) |`);
}
