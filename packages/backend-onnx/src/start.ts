import { BatchNormError } from "@batchnorm/spec";
import { Graph } from "./graph/graph.ts";
import { assertOwnProvider, type ExecutionProvider, type OrtRuntime, providerName } from "./runtime.ts";
import type { Turns } from "./turns.ts";

/**
 * Starts the runtime on the first of the providers that works here, and gives the providers from there on. What the runtime itself does
 * with those that do not work is to leave them out, with a warning, at the first call.
 *
 * To see whether one works is to make a session on it: on `webgpu` that asks for an adapter and a device, on `wasm` it loads and
 * compiles the runtime.
 *
 * @throws BatchNormError `runtime-failure` where none works.
 */
export async function startRuntime(
  ort: OrtRuntime,
  providers: readonly ExecutionProvider[],
  turns: Turns | null,
): Promise<readonly ExecutionProvider[]> {
  const model = smallestModel();
  const failures: unknown[] = [];
  for (const [index, provider] of providers.entries()) {
    const start = async (): Promise<void> => {
      assertOwnProvider(ort, providerName(provider));
      const session = await ort.InferenceSession.create(model, { executionProviders: [provider], logSeverityLevel: 3 });
      await session.release();
    };
    try {
      await (turns === null ? start() : turns.take(start));
      return providers.slice(index);
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
