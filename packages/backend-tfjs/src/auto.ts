import * as tf from "@tensorflow/tfjs";
import { createBackend as createOn, type TfjsBackend, type TfjsOptions } from "./backend.ts";

export * from "@batchnorm/spec/users";
export type { TfjsBackend, TfjsLayer } from "./backend.ts";

/**
 * `createBackend` on the package `@tensorflow/tfjs`, which comes with tfjs's backends and chooses the best of them: nothing has to
 * be handed in. A bundler packs all of it.
 *
 * @throws what `createBackend` of the main entry throws.
 */
export function createBackend(options: Omit<TfjsOptions, "tf"> = {}): Promise<TfjsBackend> {
  return createOn({ ...options, tf });
}
