import { fold, inspect, readModel } from "@batchnorm/onnx-model";
import { randomInputs, verify, verifyFold } from "@batchnorm/onnx-model/execute";
import * as ort from "onnxruntime-node";
import { DETECTOR, readAsset } from "./pp-ocr.ts";

/** Milliseconds: the median of some runs. */
export interface Time {
  readonly what: string;
  readonly median: number;
  readonly fastest: number;
}

const RUNS = 5;
/** What a detector is given: a page. */
const SHAPE = [1, 3, 640, 640];

/** How long things take on PP-OCR's detector, of 4.7 MB and 672 nodes. */
export async function times(): Promise<readonly Time[]> {
  const bytes = readAsset(DETECTOR);
  const model = readModel(bytes);
  const [{ name }] = model.proto.graph!.input;
  const inputs = randomInputs(model, ort, { shapes: { [name]: SHAPE } });
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const actions: Readonly<Record<string, () => Promise<unknown>>> = {
    "read the file": async () => readModel(bytes),
    inspect: () => inspect(readModel(bytes)),
    fold: () => fold(readModel(bytes)),
    "fold, every fold executed": () => verifyFold(model, { ort, inputs }),
    verify: () => verify(model, { ort, inputs }),
    "for comparison: one inference with onnxruntime-node": () => session.run(inputs),
    "for comparison: opening the model with onnxruntime-node": async () =>
      (await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 })).release(),
  };
  const results = new Map<string, number[]>(Object.keys(actions).map((what) => [what, []]));
  // Taking turns: whatever else the machine does meets all alike. The first round warms up.
  for (let run = 0; run <= RUNS; run++) {
    for (const [what, action] of Object.entries(actions)) {
      const start = performance.now();
      await action();
      if (run > 0) results.get(what)!.push(performance.now() - start);
    }
  }
  await session.release();
  return [...results].map(([what, all]) => {
    const sorted = all.sort((a, b) => a - b);
    return { what, median: sorted[sorted.length >> 1], fastest: sorted[0] };
  });
}
