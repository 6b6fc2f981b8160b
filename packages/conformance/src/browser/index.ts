// What starts browsers and serves them pages, for other packages of this repository. It is no entry of the published package.
export { type BrowserName, findBrowser, noBrowser } from "./find-browser.ts";
export { SOFTWARE_GRAPHICS } from "./launch.ts";
export { buildPage, type PageSource, type Served, serveDirectory } from "./serve.ts";
