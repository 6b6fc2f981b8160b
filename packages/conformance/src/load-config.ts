import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createJiti } from "jiti";
import type { AnyBackend } from "./checks/check.ts";
import { oneLine, UsageError } from "./command.ts";
import { type ConformanceConfig, openBackend, toConfig } from "./config.ts";

const CONFIG_FILES = ["conformance.config.ts", "conformance.config.js", "conformance.config.mjs"];

/**
 * Loads a config or an adapter module; without a name, the config that lies in the working directory.
 *
 * @throws UsageError when there is none, or when it cannot be loaded.
 */
export async function loadConfig(file: string | undefined): Promise<ConformanceConfig> {
  const name = file ?? CONFIG_FILES.find((each) => existsSync(each));
  if (name === undefined) throw new UsageError(`There is no ${CONFIG_FILES[0]} here: name a config or an adapter module.`);
  const path = resolve(name);
  if (!existsSync(path)) throw new UsageError(`${name} does not exist: name a config or an adapter module.`);
  let exported: unknown;
  try {
    // Node 20 does not import TypeScript by itself.
    const loaded = /\.[cm]?ts$/.test(path) ? await createJiti(import.meta.url).import(path) : await import(pathToFileURL(path).href);
    exported = (loaded as { default?: unknown }).default;
  } catch (error) {
    throw new UsageError(`${name} could not be loaded: ${oneLine(error)}`);
  }
  try {
    return toConfig(exported, name);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/**
 * Makes the backends of a config, or those of them that are wanted by name.
 *
 * @throws UsageError when a name is not in the config. Error when a backend cannot be made.
 */
export async function openBackends(config: ConformanceConfig, wanted: readonly string[]): Promise<AnyBackend[]> {
  const all = await Promise.all(config.backends.map(openBackend));
  const unknown = wanted.find((name) => !all.some((backend) => backend.name === name));
  if (unknown !== undefined)
    throw new UsageError(`--backend ${unknown}: not in the config, expected one of ${all.map(({ name }) => name).join(", ")}.`);
  return wanted.length === 0 ? all : all.filter(({ name }) => wanted.includes(name));
}
