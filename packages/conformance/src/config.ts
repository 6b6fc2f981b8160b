import { describeValue, isBatchNormError } from "@batchnorm/spec";
import type { AnyBackend } from "./checks/check.ts";
import type { Deviation } from "./run.ts";

/** A backend, or what makes one. */
export type BackendSource = AnyBackend | (() => AnyBackend | Promise<AnyBackend>);

/** What a project checks: the default export of `conformance.config.ts`. */
export interface ConformanceConfig {
  readonly backends: readonly BackendSource[];
  /** What the backends are known to fail. A listed check that passes fails the run. */
  readonly deviations?: readonly Deviation[];
}

/** Types the config and gives it back. */
export function defineConfig(config: ConformanceConfig): ConformanceConfig {
  return config;
}

/**
 * Takes what a module exports by default: a config, a backend, or a function that makes one.
 *
 * @throws Error when it is none of them.
 */
export function toConfig(exported: unknown, file: string): ConformanceConfig {
  if (typeof exported === "function") return { backends: [exported as () => AnyBackend] };
  if (isBackend(exported)) return { backends: [exported] };
  if (isObject(exported) && Array.isArray(exported.backends)) {
    // Nothing checked is not the same as nothing wrong.
    if (exported.backends.length === 0) throw new Error(`${file} has an empty list of backends, expected one at least.`);
    if (exported.deviations !== undefined && !isDeviations(exported.deviations)) {
      throw new Error(`${file} has deviations that are no list of { id, reason, backend? }, each with text in it.`);
    }
    return exported as unknown as ConformanceConfig;
  }
  throw new Error(
    `${file} exports ${describeValue(exported)} by default, expected a config with backends, a backend, or a function that makes one.`,
  );
}

/** Makes the backend of one source. Throws a sentence that says which one could not be made. */
export async function openBackend(source: BackendSource, index: number): Promise<AnyBackend> {
  try {
    const backend = typeof source === "function" ? await source() : source;
    if (isBackend(backend)) return backend;
    throw new Error(
      `it is ${describeValue(backend)}, expected an object with specVersion, name, supports, create, upload, download and release`,
    );
  } catch (error) {
    const reason = isBatchNormError(error) || error instanceof Error ? error.message : String(error);
    throw new Error(`Backend ${index + 1} of the config could not be made: ${reason}`, { cause: error });
  }
}

/** Whether a value is a list of deviations: complete ones, with nothing misspelt. */
export function isDeviations(value: unknown): value is readonly Deviation[] {
  const isText = (each: unknown): boolean => typeof each === "string" && each.trim().length > 0;
  return (
    Array.isArray(value) &&
    value.every(
      (each: unknown) =>
        isObject(each) &&
        isText(each.id) &&
        isText(each.reason) &&
        (each.backend === undefined || isText(each.backend)) &&
        Object.keys(each).every((key) => ["id", "reason", "backend"].includes(key)),
    )
  );
}

function isBackend(value: unknown): value is AnyBackend {
  return (
    isObject(value) &&
    typeof value.name === "string" &&
    isObject(value.supports) &&
    ["create", "upload", "download", "release"].every((method) => typeof value[method] === "function")
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
