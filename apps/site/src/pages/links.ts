import { posix } from "node:path";
import { REPOSITORY } from "../place.ts";

/** Documents of the repository that are pages here. */
const PAGES: Readonly<Record<string, string>> = {
  "README.md": "/",
  "docs/spec.md": "/spec",
  "docs/guide.md": "/guide/",
  "docs/decisions/README.md": "/decisions/",
};

/**
 * A document of the repository with its relative links made good: to the page, where the document is one here, and to the
 * repository otherwise. Pictures and links within the document stay.
 *
 * @param from the document's path in the repository.
 */
export function withLinks(text: string, from: string): string {
  return text.replaceAll(/(!?)\[([^\]]*)\]\(([^)\s]+)\)/g, (whole, image: string, label: string, target: string) => {
    if (image !== "" || /^([a-z]+:|#|\/)/i.test(target)) return whole;
    const [path, anchor] = target.split("#");
    const document = posix.normalize(posix.join(posix.dirname(from), path));
    return `[${label}](${pageOf(document) ?? `${REPOSITORY}/blob/main/${document}`}${anchor === undefined ? "" : `#${anchor}`})`;
  });
}

/** The page of a document, or null for one that is none here. */
export function pageOf(document: string): string | null {
  if (Object.hasOwn(PAGES, document)) return PAGES[document];
  const [, folder, name] = /^(?:docs\/)?(decisions|reports)\/(.+)\.md$/.exec(document) ?? [];
  return folder === undefined ? null : `/${folder}/${name}`;
}

/** The page's front matter, with a note where it is edited: VitePress shows a link to that. */
export function frontMatter(fields: Readonly<Record<string, unknown>>): string {
  return `---\n${Object.entries(fields)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join("")}---\n\n`;
}
