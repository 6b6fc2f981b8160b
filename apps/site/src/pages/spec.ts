import { readFile } from "node:fs/promises";
import { type GeneratedPage, ROOT } from "../place.ts";
import { frontMatter, withLinks } from "./links.ts";

/** The spec with an anchor for every section and clause, `#section-4` and `#clause-4-2`, and with its citations as links to these. */
export async function specPage(): Promise<GeneratedPage> {
  const text = await readFile(`${ROOT}/docs/spec.md`, "utf8");
  const edited = { source: "docs/spec.md", outline: [2, 3], clauses: true };
  return { path: "spec.md", text: frontMatter(edited) + withClauses(withLinks(text, "docs/spec.md")) };
}

/** The anchor of a clause or section: `4.2` is `clause-4-2`, `4` is `section-4`. */
export function anchorOf(number: string): string {
  return number.includes(".") ? `clause-${number.replace(".", "-")}` : `section-${number}`;
}

function withClauses(text: string): string {
  const clauses = new Set([...text.matchAll(/^### (\d+\.\d+) /gm)].map(([, number]) => number));
  const withLinksIn = (line: string): string =>
    line.replaceAll(CITATION, (whole, before: string, number: string) =>
      clauses.has(number) ? `${before}[${number}](#${anchorOf(number)})` : whole,
    );
  let inCode = false;
  return text
    .split("\n")
    .map((line) => {
      if (line.startsWith("```")) inCode = !inCode;
      if (inCode || line.startsWith("    ")) return line;
      const [, hashes, number, title] = /^(##|###) (\d+(?:\.\d+)?) (.*)$/.exec(line) ?? [];
      return number === undefined ? withLinksIn(line) : `${hashes} ${number} ${title} {#${anchorOf(number)}}`;
    })
    .join("\n");
}

/** A number with a point where a clause is cited. Versions, such as `Keras 3.15`, have a name before them, and no clause is called so. */
const CITATION = /((?:^|[(|,:] ?|\b(?:clauses?|of|by|in|and|or|with|from|than|to|see) ))(\d{1,2}\.\d{1,2})(?![\d.]*\d|e-?\d)/g;
