import { launch } from "puppeteer-core";
const b = await launch({ browser: "firefox", executablePath: "/usr/bin/firefox-esr", headless: true });
console.log(await b.version());
const p = await b.newPage();
p.on("console", m => console.log("console", m.text()));
await p.goto("file:///tmp/page/m.html");
console.log(await p.evaluate(() => document.querySelector("h1").textContent), await p.evaluate(() => [typeof navigator.gpu, navigator.userAgent]));
await p.screenshot({ path: "/tmp/page/ff.png" });
await b.close();
