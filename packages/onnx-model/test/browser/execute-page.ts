import { readModel, readStates } from "@batchnorm/onnx-model";
import { type CompareResult, compareRuns, randomInputs, recalibrate, type VerifyResult, verify } from "@batchnorm/onnx-model/execute";
import * as ort from "onnxruntime-web";

// One thread: that of the page.
ort.env.wasm.numThreads = 1;

/** The bytes of a model that the page was given in base64. */
function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** Verifies a model on one provider. */
export async function verified(base64: string, provider: string): Promise<VerifyResult> {
  const model = readModel(bytesOf(base64));
  return verify(model, { ort, inputs: randomInputs(model, ort, { seed: 3 }), executionProviders: [provider] });
}

/** One provider against another. */
export async function compared(base64: string, first: string, second: string, tolerance: number): Promise<CompareResult> {
  const model = readModel(bytesOf(base64));
  const run = { model, ort, inputs: randomInputs(model, ort, { seed: 3 }) };
  return compareRuns({ ...run, executionProviders: [first] }, { ...run, executionProviders: [second] }, tolerance);
}

/** The statistics of all layers after a recalibration on batches that any place can make again. */
export async function recalibrated(base64: string, provider: string): Promise<Record<string, number[]>> {
  const model = readModel(bytesOf(base64));
  const batches = [0, 1, 2].map((seed) => randomInputs(model, ort, { seed }));
  const result = await recalibrate(model, { ort, batches, sessionOptions: { executionProviders: [provider] } });
  const { states } = await readStates(result.model);
  return Object.fromEntries(
    Object.entries(states).map(([name, { statistics }]) => [
      name,
      [...(statistics.movingMean as number[]), ...(statistics.movingVariance as number[])],
    ]),
  );
}
