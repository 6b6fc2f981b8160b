export { launchBrowser, noBrowser, withBrowser } from "./browsers.ts";
export { openPage } from "./open-page.ts";
export { type PageOptions, type Site, serveDirectory, servePage } from "./serve.ts";
