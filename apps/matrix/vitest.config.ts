import { defineConfig } from "vitest/config";
import { shared } from "../../vitest.shared.ts";

// Both this and apps/install build and pack all packages: one after the other, and after everything that reads what is built.
export default defineConfig({ ...shared, test: { ...shared.test, sequence: { groupOrder: 2 } } });
