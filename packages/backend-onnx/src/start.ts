import { BatchNormError } from "@batchnorm/spec";
import type { InferenceSession } from "onnxruntime-common";
import { Graph } from "./graph/graph.ts";
import { assertOwnProvider, type ExecutionProvider, type OrtRuntime, providerName } from "./runtime.ts";
import type { Turns } from "./turns.ts";

/** A runtime that has started. */
export interface StartedRuntime {
  /** The providers from the one that works on. */
  readonly providers: readonly ExecutionProvider[];
  /** The session that showed it. On `webgpu` it also keeps the runtime's GPUDevice, which goes with the last session. */
  readonly session: InferenceSession;
}

/**
 * Starts the runtime on the first of the providers that works here. What the runtime itself does with those that do not
 * work is to leave them out, with a warning, at the first call.
 *
 * To see whether one works is to make a session on it: on `webgpu` that asks for an adapter and a device, on `wasm` it
 * loads and compiles the runtime.
 *
 * @throws BatchNormError `runtime-failure` where none works.
 */
export async function startRuntime(ort: OrtRuntime, providers: readonly ExecutionProvider[], turns: Turns | null): Promise<StartedRuntime> {
  const model = smallestModel();
  const failures: unknown[] = [];
  for (const [index, provider] of providers.entries()) {
    const start = async (): Promise<InferenceSession> => {
      assertOwnProvider(ort, providerName(provider));
      return ort.InferenceSession.create(model, { executionProviders: [provider], logSeverityLevel: 3 });
    };
    try {
      const session = await (turns === null ? start() : turns.take(start));
      return { providers: providers.slice(index), session };
    } catch (cause) {
      failures.push(cause);
    }
  }
  const messages = failures.map((cause) => (cause instanceof Error ? cause.message : String(cause)).slice(0, 300));
  throw new BatchNormError(
    "runtime-failure",
    `ONNX Runtime does not start here and said "${messages.join('", "')}"`,
    providers.map(providerName),
    "an execution provider that works",
    failures.length === 1 ? failures[0] : new AggregateError(failures),
  );
}

function smallestModel(): Uint8Array {
  const graph = new Graph("start");
  graph.output("y", graph.op("Identity", [graph.input("x", "float32", [1])]), "float32", [1]);
  return graph.bytes();
}
