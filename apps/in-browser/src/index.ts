export { noBrowser, type Served } from "@batchnorm/conformance/browser";
export { launchBrowser, withBrowser } from "./browsers.ts";
export { openPage } from "./open-page.ts";
export { type PageOptions, serveDirectory, servePage } from "./serve.ts";
