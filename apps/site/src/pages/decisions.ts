import { readdir, readFile } from "node:fs/promises";
import { type GeneratedPage, ROOT } from "../place.ts";
import { frontMatter, withLinks } from "./links.ts";

/** The decisions of docs/decisions, the newest first, and a page that lists them. */
export async function decisionPages(): Promise<GeneratedPage[]> {
  const folder = `${ROOT}/docs/decisions`;
  const names = (await readdir(folder))
    .filter((name) => /^\d{4}-.*\.md$/.test(name))
    .sort()
    .reverse();
  const decisions = await Promise.all(names.map(async (name) => ({ name, text: await readFile(`${folder}/${name}`, "utf8") })));
  const list = decisions.map(({ name, text }) => {
    const title = /^# (.*)$/m.exec(text)?.[1] ?? name;
    return `| ${name.slice(0, 10)} | [${title}](/decisions/${name.replace(/\.md$/, "")}) |`;
  });
  const intro = "# Decisions\n\nOne short dated text for each decision that took an argument. A newer one may change an older one.\n";
  return [
    { path: "decisions/index.md", text: `${frontMatter({ aside: false })}${intro}\n| date | decision |\n|---|---|\n${list.join("\n")}\n` },
    ...decisions.map(({ name, text }) => {
      const source = `docs/decisions/${name}`;
      return { path: `decisions/${name}`, text: frontMatter({ source }) + withLinks(text, source) };
    }),
  ];
}
