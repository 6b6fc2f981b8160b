import { defineConfig } from "vitest/config";

// Packages are tested from their sources: the condition is the one that tsconfig.base.json names.
const conditions = ["@batchnorm/source", "module", "node", "import", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    projects: ["packages/*"],
    // Two cores; the suites are long loops, not waits.
    testTimeout: 60_000,
  },
});
