import { readdirSync, readFileSync } from "node:fs";
import { PAGES } from "./place.ts";

/** A program of a page: everything in it runs as it stands. */
export interface PageProgram {
  /** The page and the program's place in it, such as `porting/keras.md, 2`. */
  readonly name: string;
  readonly text: string;
  /** What its comments say that it prints, line by line. */
  readonly prints: readonly string[];
}

/** The `ts` blocks of the pages that are written by hand. */
export function pagePrograms(): PageProgram[] {
  const pages = (readdirSync(PAGES, { recursive: true }) as string[]).filter((path) => /^(guide|porting)\/.*\.md$/.test(path)).sort();
  return pages.flatMap((page) =>
    [...readFileSync(`${PAGES}/${page}`, "utf8").matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text], index) => ({
      name: `${page}, ${index + 1}`,
      text,
      prints: [...text.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, comment]) => comment),
    })),
  );
}
