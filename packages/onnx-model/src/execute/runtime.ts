import { BatchNormError } from "@batchnorm/spec";
import { fromFloat16, toFloat16 } from "@batchnorm/spec/half";
import type * as common from "onnxruntime-common";

/** What executes: `onnxruntime-node`, `onnxruntime-web`, or anything with the same two classes. */
export type Runtime = Pick<typeof common, "InferenceSession" | "Tensor">;

export type Session = common.InferenceSession;
export type SessionOptions = common.InferenceSession.SessionOptions;
export type RuntimeTensor = common.Tensor;

/** The inputs of one run, by name, as the runtime's `session.run` takes them. */
export type Feeds = Readonly<Record<string, RuntimeTensor>>;

/** A tensor as float32 or float64. */
export interface Values {
  readonly data: Float32Array | Float64Array;
  readonly shape: readonly number[];
  /** Whether they were float16. */
  readonly isHalf: boolean;
}

/** @throws BatchNormError `runtime-failure` for a model that the runtime does not take. */
export async function openSession({ InferenceSession }: Runtime, bytes: Uint8Array, options: SessionOptions = {}): Promise<Session> {
  try {
    // Errors come as exceptions: printed as well they would stand in the middle of a report.
    return await InferenceSession.create(bytes, { logSeverityLevel: 4, ...options });
  } catch (cause) {
    throw runtimeFailure("The runtime does not take the model", cause);
  }
}

/**
 * Runs a model on what of the feeds it takes.
 *
 * @throws BatchNormError `invalid-argument` where an input is missing, `runtime-failure` where the run fails.
 */
export async function runSession(
  session: Session,
  feeds: Feeds,
  outputs: readonly string[] | Feeds,
): Promise<Readonly<Record<string, RuntimeTensor>>> {
  const taken = takenBy(session, feeds);
  try {
    return await session.run(taken, outputs as readonly string[]);
  } catch (cause) {
    throw runtimeFailure("The runtime failed", cause);
  }
}

/**
 * What a session takes of the feeds.
 *
 * @throws BatchNormError `invalid-argument` where an input is missing.
 */
export function takenBy({ inputNames }: Session, feeds: Feeds): Feeds {
  const missing = inputNames.find((name) => !Object.hasOwn(feeds, name));
  if (missing !== undefined) {
    throw new BatchNormError("invalid-argument", "An input of the model is missing", Object.keys(feeds), `data for ${missing}`);
  }
  return Object.fromEntries(inputNames.map((name) => [name, feeds[name]]));
}

/** Numbers as a float16 tensor, from bits: Float16Array is not everywhere. */
export function halfTensor(Tensor: Runtime["Tensor"], values: readonly number[], shape: readonly number[]): RuntimeTensor {
  return new Tensor("float16", Uint16Array.from(values, toFloat16), shape);
}

function runtimeFailure(what: string, cause: unknown): BatchNormError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new BatchNormError("runtime-failure", what, message.slice(0, 150), "a model and inputs that it runs", cause);
}

/** The numbers of a floating-point tensor, and null for any other. float16 comes as its bits, or on a newer JavaScript as Float16Array. */
export function valuesOf({ type, data, dims }: RuntimeTensor): Values | null {
  if (data instanceof Float32Array || data instanceof Float64Array) return { data, shape: dims, isHalf: false };
  if (type !== "float16") return null;
  const numbers =
    data instanceof Uint16Array ? Float32Array.from(data, fromFloat16) : Float32Array.from(data as unknown as ArrayLike<number>);
  return { data: numbers, shape: dims, isHalf: true };
}
