import type { InferenceSession } from "onnxruntime-common";
import { createBackend, type OnnxBackend, type OrtRuntime } from "../src/index.ts";
import { ort } from "./ort-web.ts";

/** What a recording runtime saw, and what it is to do. */
export interface Recording {
  readonly runtime: OrtRuntime;
  /** How many sessions were made, and how many released. */
  created: number;
  released: number;
  /** The largest number of calls that were under way at once. */
  atOnce: number;
  /** Thrown by the next calls of a kind, instead of doing them. */
  fail: { create?: Error; run?: Error };
}

/**
 * onnxruntime-web with a look at what is asked of it, and with failures on demand. Every call takes at least a turn of
 * the event loop.
 */
export function recordingRuntime(): Recording {
  let underWay = 0;
  const watched = async <Value>(task: () => Promise<Value>): Promise<Value> => {
    recording.atOnce = Math.max(recording.atOnce, ++underWay);
    try {
      await new Promise((resolve) => setTimeout(resolve));
      return await task();
    } finally {
      underWay--;
    }
  };
  const watch = (session: InferenceSession): Pick<InferenceSession, "run" | "release"> => ({
    run: (...request: [never]) =>
      watched(() => {
        if (recording.fail.run) throw recording.fail.run;
        return session.run(...request);
      }),
    release: () =>
      watched(() => {
        recording.released++;
        return session.release();
      }),
  });
  const create = (model: Uint8Array, options: InferenceSession.SessionOptions) =>
    watched(async () => {
      if (recording.fail.create) throw recording.fail.create;
      recording.created++;
      return watch(await ort.InferenceSession.create(model, options));
    });
  const runtime = { env: ort.env, Tensor: ort.Tensor, InferenceSession: { create } } as unknown as OrtRuntime;
  const recording: Recording = { runtime, created: 0, released: 0, atOnce: 0, fail: {} };
  return recording;
}

/** A backend on a recording runtime. The session that `createBackend` made has been released, and is not in the counts. */
export async function recordedBackend(): Promise<{ backend: OnnxBackend; recording: Recording }> {
  const recording = recordingRuntime();
  const backend = await createBackend({ ort: recording.runtime });
  await backend.releaseIdleSessions();
  Object.assign(recording, { created: 0, released: 0, atOnce: 0 });
  return { backend, recording };
}
