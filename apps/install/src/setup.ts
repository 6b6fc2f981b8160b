import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PackedPackage, packAll } from "@batchnorm/packing";
import type { TestProject } from "vitest/node";
import { startRegistry } from "./registry.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The packages as they are published. */
    readonly packed: readonly PackedPackage[];
    /** The address of a registry that has them. */
    readonly registry: string;
  }
}

/** Packs every package once for all tests, and keeps a registry with them open while they run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "packed-"));
  const packed = await packAll(folder);
  const registry = await startRegistry(packed);
  project.provide("packed", packed);
  project.provide("registry", registry.url);
  return async () => {
    await registry.close();
    await rm(folder, { recursive: true });
  };
}
