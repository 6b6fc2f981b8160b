import { type BatchNormConfig, BatchNormError, isBatchNormError } from "@batchnorm/spec";

/** What a failure is reported with. */
export interface Occasion {
  /** The name of the backend. */
  readonly backend: string;
  /** What it was doing, such as `training`. */
  readonly action: string;
  readonly config: BatchNormConfig;
  readonly channels: number;
  /** The shape of the call, if it had one. */
  readonly shape: readonly number[] | null;
}

/**
 * Runs a task of which the runtime may fail. Its error becomes one of the contract, with its own message, the layer's config, and
 * itself as cause (clause 14.3).
 */
export async function reportFailure<Value>(occasion: () => Occasion, task: () => Promise<Value>): Promise<Value> {
  try {
    return await task();
  } catch (cause) {
    if (isBatchNormError(cause)) throw cause;
    const { backend, action, config, channels, shape } = occasion();
    const message = cause instanceof Error ? cause.message : String(cause);
    const layer = `a layer of ${channels} channels with the config ${JSON.stringify(config)}`;
    throw new BatchNormError(
      "runtime-failure",
      `${backend} failed in ${action}, on ${layer}, and said "${message}"`,
      shape,
      "a run without an error",
      cause,
    );
  }
}
