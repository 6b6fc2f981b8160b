import { defineConfig } from "vitest/config";
import { shared } from "../../vitest.shared.ts";

export default defineConfig({
  ...shared,
  // It builds and packs all packages: not while others read what is built (see apps/matrix). Installing, bundling and
  // starting browsers is waiting for others' programs, on whatever machine.
  test: { ...shared.test, testTimeout: 300_000, hookTimeout: 300_000, globalSetup: "src/setup.ts", sequence: { groupOrder: 1 } },
});
