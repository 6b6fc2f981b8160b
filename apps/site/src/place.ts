import { fileURLToPath } from "node:url";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The folders of the site, as absolute paths without a slash at the end. */
export const ROOT: string = at("../../..");
export const SITE: string = at("..");
export const PAGES: string = `${SITE}/pages`;
export const OUTPUT: string = `${SITE}/dist`;
/** What the engineer's other app builds: the live conformance page. */
export const LIVE: string = `${ROOT}/apps/live/dist`;

export const REPOSITORY = "https://github.com/batchnorm/batchnorm";
