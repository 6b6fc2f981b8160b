export { findChromium, launchChromium, noChromium, withChromium } from "./chromium.ts";
export { findFirefox, launchFirefox } from "./firefox.ts";
export { openPage } from "./open-page.ts";
export { type PageOptions, type Site, serveDirectory, servePage } from "./serve.ts";
