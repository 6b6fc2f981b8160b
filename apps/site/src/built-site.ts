import { readdirSync, readFileSync } from "node:fs";
import { parse } from "node-html-parser";

/** A page of the built site. */
export interface BuiltPage {
  /** Its address below the base, such as `/guide/modes`. */
  readonly address: string;
  readonly ids: ReadonlySet<string>;
  readonly links: readonly string[];
  /** Scripts, styles and pictures. */
  readonly resources: readonly string[];
}

/** Every page of a built site, but for another app's below `/live/`. */
export function readPages(folder: string, base: string): BuiltPage[] {
  const files = (readdirSync(folder, { recursive: true }) as string[]).filter(
    (file) => file.endsWith(".html") && !file.startsWith("live/"),
  );
  return files.map((file) => {
    const page = parse(readFileSync(`${folder}/${file}`, "utf8"), { comment: false });
    const all = (selector: string, attribute: string): string[] =>
      page.querySelectorAll(selector).flatMap((element) => element.getAttribute(attribute) ?? []);
    return {
      address: `${base}${file.replace(/\.html$/, "").replace(/(^|\/)index$/, "$1")}`,
      ids: new Set(all("[id]", "id")),
      links: all("a[href]", "href"),
      resources: [...all("script[src]", "src"), ...all("link[href]", "href"), ...all("img[src]", "src")],
    };
  });
}

/** What is wrong with the links of a site: pages, anchors and files that are not there, in sentences. */
export function brokenLinks(pages: readonly BuiltPage[], folder: string, base: string): string[] {
  const files = new Set((readdirSync(folder, { recursive: true }) as string[]).map((file) => `${base}${file}`));
  const known = new Map(pages.map((page) => [page.address, page]));
  const origin = "http://site";
  return pages.flatMap((page) => {
    const broken = page.links.flatMap((link) => {
      const { origin: to, pathname, hash } = new URL(link, `${origin}${page.address}`);
      if (to !== origin) return [];
      if (pathname.startsWith(`${base}live/`))
        return files.has(`${base}live/index.html`) ? [] : [`${page.address} links to ${link}: there is no live page`];
      const target = known.get(decodeURI(pathname));
      if (target === undefined) return files.has(pathname) ? [] : [`${page.address} links to ${link}: there is no such page`];
      const id = decodeURIComponent(hash.slice(1));
      return id === "" || target.ids.has(id) ? [] : [`${page.address} links to ${link}: the page has no such anchor`];
    });
    const missing = page.resources.flatMap((resource) => {
      const { origin: from, pathname, protocol } = new URL(resource, `${origin}${page.address}`);
      if (protocol === "data:") return [];
      if (from !== origin) return [`${page.address} loads ${resource}, from another host`];
      return files.has(pathname) ? [] : [`${page.address} loads ${resource}: there is no such file`];
    });
    return [...broken, ...missing];
  });
}
