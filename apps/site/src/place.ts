import { fileURLToPath } from "node:url";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The folders of the site, as absolute paths without a slash at the end. */
export const ROOT: string = at("../../..");
export const SITE: string = at("..");
export const PAGES: string = `${SITE}/pages`;
export const OUTPUT: string = `${SITE}/dist`;
/** The app of the live conformance page, which is built into the site. */
export const LIVE: string = `${ROOT}/apps/live`;

export const REPOSITORY = "https://github.com/batchnorm/batchnorm";

/** A page that is generated: its path below `pages`, and its text. */
export interface GeneratedPage {
  readonly path: string;
  readonly text: string;
}
