import { availableParallelism } from "node:os";
import type { ViteUserConfig } from "vitest/config";

// Packages are tested from their sources: the condition is the one that tsconfig.base.json names.
const conditions = ["@batchnorm/source", "module", "node", "import", "default"];

/** What every project of the workspace has in common; a project does not inherit the root's settings. */
export const shared: ViteUserConfig = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  // The time is for a busy machine. Of two cores vitest would leave one idle; half of the tests wait for a child process or a
  // browser.
  test: { include: ["test/**/*.test.ts"], testTimeout: 180_000, maxWorkers: Math.max(2, availableParallelism() - 1) },
};
