import type { AnyBackend } from "@batchnorm/conformance";
import { makeCase, type Plan } from "./cases.ts";
import { type Measurement, measurementOf, truthOf } from "./errors.ts";
import { resultsOf } from "./run.ts";

const MAKERS: Readonly<Record<string, () => Promise<AnyBackend>>> = {
  "tfjs/webgl": async () => (await import("@batchnorm/adapters/tfjs/browser")).tfjsWebgl(),
  "tfjs/webgpu": async () => (await import("@batchnorm/adapters/tfjs/browser")).tfjsWebgpu(),
  "onnx/webgpu": async () => (await import("@batchnorm/adapters/onnx/browser")).onnxWebgpu(),
};

let backend: AnyBackend;

/** Makes the backend that the page is for. */
export async function open(name: string): Promise<void> {
  backend = await MAKERS[name]();
}

/** The errors of the opened backend on one case. */
export async function run(plan: Plan): Promise<Measurement> {
  const each = makeCase(plan);
  return measurementOf(await resultsOf(backend, each), truthOf(each));
}
