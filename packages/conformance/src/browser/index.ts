// What starts browsers, for other packages of this repository. It is no entry of the published package.
export { type BrowserName, findBrowser } from "./find-browser.ts";
export { SOFTWARE_GRAPHICS } from "./launch.ts";
