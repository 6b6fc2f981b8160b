import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type MarkdownRenderer } from "vitepress";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const titleOf: Readonly<Record<string, string>> = {
  conformance: "Clause by clause",
  matrix: "Every backend on every runtime",
  "matrix-clauses": "Every runtime, clause by clause",
  peers: "Peers, held to the same vectors",
  models: "Models",
  benchmark: "Benchmark",
};
const reportNames = readdirSync(at("../../../reports"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => name.replace(/\.md$/, ""));
const rank = (name: string): number => (name in titleOf ? Object.keys(titleOf).indexOf(name) : 99);
const reports = reportNames.sort((a, b) => rank(a) - rank(b)).map((name) => ({ text: titleOf[name] ?? name, link: `/reports/${name}` }));
// Another app's page, which VitePress must not open as one of its own.
const live = { text: "Conformance, live", link: "/live/", target: "_self" };

const repository = "https://github.com/batchnorm/batchnorm";

/** The packages of the API reference, in its order, and their entries beside the main one. */
const packages = ["backend-cpu", "backend-onnx", "backend-tfjs", "spec", "onnx-model", "weights", "conformance"].map((name) => {
  const { exports } = JSON.parse(readFileSync(at(`../../../packages/${name}/package.json`), "utf8")) as {
    exports: Record<string, object | string>;
  };
  const entries = Object.entries(exports).filter(
    ([path, target]) =>
      path !== "." && path !== "./proto" && typeof target === "object" && "@batchnorm/source" in target && "default" in target,
  );
  return { name, entries: entries.map(([path]) => path.slice(2)) };
});

/** A bell: what a channel looks like. */
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M2 27C10 27 10 5 16 5s6 22 14 22" fill="none"
  stroke="#3b6ea8" stroke-width="3.5" stroke-linecap="round"/></svg>`;

/** The browser itself sees to it that a page talks to nobody else. VitePress puts a few scripts and styles into its pages. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'none'",
].join("; ");

export default defineConfig({
  title: "batchnorm",
  description: "Keras's BatchNormalization, written down exactly, implemented for every JavaScript runtime, and checkable anywhere",
  lang: "en",
  base: process.env.SITE_BASE ?? "/",
  srcDir: "pages",
  cleanUrls: true,
  lastUpdated: false,
  // A link into the other app, which is no page of this one.
  ignoreDeadLinks: [/^\/live\//],
  head: [
    ["meta", { "http-equiv": "Content-Security-Policy", content: POLICY }],
    ["link", { rel: "icon", href: `data:image/svg+xml,${encodeURIComponent(ICON)}` }],
  ],
  markdown: { theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" }, config: withFocusableFormulas },
  themeConfig: {
    search: { provider: "local" },
    outline: { level: [2, 3] },
    socialLinks: [{ icon: "github", link: repository }],
    nav: [
      { text: "Guide", link: "/guide/", activeMatch: "^/guide/" },
      { text: "Look into a model", link: "/look" },
      { text: "Spec", link: "/spec" },
      {
        text: "Reference",
        items: [
          { text: "API", link: "/api/" },
          { text: "Errors", link: "/errors/" },
          { text: "Decisions", link: "/decisions/" },
        ],
      },
      { text: "Reports", items: [live, ...reports] },
    ],
    sidebar: {
      "/guide/": guide(),
      "/porting/": guide(),
      "/api/": packages.map(({ name, entries }) => ({
        text: name,
        link: `/api/${name}`,
        items: entries.map((entry) => ({ text: `${name}/${entry}`, link: `/api/${name}/${entry}` })),
      })),
      "/errors/": [{ text: "Errors", link: "/errors/", items: errorItems() }],
      "/reports/": [{ text: "Reports", items: [live, ...reports] }],
    },
    footer: { message: "MIT licence. This site loads nothing from anywhere else, and sends nothing." },
  },
  vite: {
    resolve: { conditions: ["@batchnorm/source"] },
    ssr: { resolve: { conditions: ["@batchnorm/source"] }, noExternal: [/^@batchnorm\//, "pure-rand"] },
    worker: { format: "es" },
    build: { target: "esnext", chunkSizeWarningLimit: Number.POSITIVE_INFINITY },
  },
});

/** An indented block scrolls where it is wider than a phone, so the keyboard has to reach it, as it reaches VitePress's own blocks. */
function withFocusableFormulas(markdown: MarkdownRenderer): void {
  markdown.renderer.rules.code_block = (tokens, index) =>
    `<pre v-pre tabindex="0"><code>${markdown.utils.escapeHtml(tokens[index].content)}</code></pre>\n`;
}

function guide() {
  return [
    {
      text: "Guide",
      items: [
        { text: "Start", link: "/guide/start" },
        { text: "Four arrays, two kinds", link: "/guide/" },
        { text: "A batch in both modes", link: "/guide/modes" },
        { text: "What freezing is", link: "/guide/freezing" },
        { text: "Conventions that differ", link: "/guide/conventions" },
        { text: "Data unlike the training data", link: "/guide/other-data" },
        { text: "When your numbers differ", link: "/guide/differ" },
      ],
    },
    {
      text: "Porting from",
      items: [
        { text: "Keras 3", link: "/porting/keras" },
        { text: "tf-keras", link: "/porting/tf-keras" },
        { text: "TensorFlow.js", link: "/porting/tfjs" },
        { text: "PyTorch", link: "/porting/pytorch" },
        { text: "ONNX", link: "/porting/onnx" },
      ],
    },
  ];
}

/** The codes have their pages by the time VitePress starts: they are generated before. */
function errorItems() {
  const folder = at("../pages/errors");
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name !== "index.md") : [];
  return names.map((name) => name.replace(/\.md$/, "")).map((code) => ({ text: code, link: `/errors/${code}` }));
}
