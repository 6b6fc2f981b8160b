import { defaultClientConditions, defineConfig, type UserConfig } from "vite";

/** What a browser asks for before it gives a page SharedArrayBuffer, and with it wasm its threads. */
const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** Builds the static site `dist/`; for a place below another site, `vite build --base /live/`. */
const config: UserConfig = defineConfig({
  logLevel: "warn",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  resolve: { conditions: ["@batchnorm/source", ...defaultClientConditions] },
  worker: { format: "es" },
  build: {
    target: "es2022",
    // tfjs writes the source of a function of its own into its threads, with names that it takes as they are (tfjs 4.22).
    minify: false,
    // A vector that is small is a file like the others, whose digest is checked.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: Number.POSITIVE_INFINITY,
  },
  server: { headers },
  preview: { headers },
});

export default config;
