import { defineConfig } from "vitest/config";
import { shared } from "../../vitest.shared.ts";

// As page/vite.config.ts has it: the page is written in JSX.
export default defineConfig({ ...shared, oxc: { jsx: { runtime: "automatic", importSource: "preact" } } });
