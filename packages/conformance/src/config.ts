import { describeValue } from "@batchnorm/spec";
import type { AnyBackend } from "./checks/check.ts";
import { DEVIATIONS_FORM, type Deviation, isDeviations } from "./deviations.ts";

/** A backend, or what makes one. */
export type BackendSource = AnyBackend | (() => AnyBackend | Promise<AnyBackend>);

/** What a project checks: the default export of `conformance.config.ts`. */
export interface ConformanceConfig {
  readonly backends: readonly BackendSource[];
  /** What the backends are known to fail. An entry that excuses nothing fails the run. */
  readonly deviations?: readonly Deviation[];
}

/** A wrong use of the suite, in one sentence. */
export class UsageError extends Error {
  /** What belongs to it and is no sentence: a stack, or the line of a file. */
  readonly detail: string | null;

  constructor(message: string, detail: string | null = null) {
    super(message);
    this.detail = detail;
  }
}

/** Types the config and gives it back. */
export function defineConfig(config: ConformanceConfig): ConformanceConfig {
  return config;
}

/**
 * Takes what a module exports by default: a config, a backend, or a function that makes one.
 *
 * @throws Error when it is none of them; its message goes on from the module's name.
 */
export function toConfig(exported: unknown): ConformanceConfig {
  if (typeof exported === "function") return { backends: [exported as () => AnyBackend] };
  if (isBackend(exported)) return { backends: [exported] };
  if (isObject(exported) && Array.isArray(exported.backends)) {
    // Nothing checked is not the same as nothing wrong.
    if (exported.backends.length === 0) throw new Error("has an empty list of backends, expected one at least.");
    if (exported.deviations !== undefined && !isDeviations(exported.deviations)) {
      throw new Error(`has deviations that are not ${DEVIATIONS_FORM}.`);
    }
    return exported as unknown as ConformanceConfig;
  }
  if (isObject(exported) && typeof exported.infer === "function") {
    throw new Error("exports the definition of a backend by default, expected what defineBackend of @batchnorm/spec makes of it.");
  }
  throw new Error(
    `exports ${describeValue(exported)} by default, expected a config with backends, a backend, or a function that makes one.`,
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
    const reason = error instanceof Error ? error.message : describeValue(error);
    throw new Error(`Backend ${index + 1} of the config could not be made: ${reason}`, { cause: error });
  }
}

/** Its manifest is looked into by a check. */
function isBackend(value: unknown): value is AnyBackend {
  return isObject(value) && ["create", "upload", "download", "release"].every((method) => typeof value[method] === "function");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
