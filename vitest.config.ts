import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { shared } from "./vitest.shared.ts";

export default defineConfig({
  test: {
    // Of two cores vitest would leave one idle; half of the tests wait for a child process or a browser.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: ["packages/*", "apps/*", { ...shared, test: { ...shared.test, name: "repo", root: "." } }],
  },
});
