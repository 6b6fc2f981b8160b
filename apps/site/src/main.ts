import { buildSite, serveSite } from "./build.ts";

// `pnpm site` builds into dist; `pnpm dev` generates the pages and serves them as they are written.
if (process.argv.includes("--dev")) await serveSite();
else await buildSite();
