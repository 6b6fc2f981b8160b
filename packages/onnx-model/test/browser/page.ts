import { fold, inspect, readModel, writeModel } from "@batchnorm/onnx-model";
import { randomInputs, verifyFold } from "@batchnorm/onnx-model/execute";
import * as ort from "onnxruntime-web";

/** What became of the files that were dropped. */
export const dropped: Promise<unknown> = new Promise((resolve, reject) => {
  document.body.style.minHeight = "100vh";
  document.body.addEventListener("dragover", (event) => event.preventDefault());
  document.body.addEventListener("drop", (event) => {
    event.preventDefault();
    lookAt([...event.dataTransfer!.files]).then(resolve, reject);
  });
});

/** Inspects and folds a model, with the data of the files beside it. */
async function lookAt(files: readonly File[]): Promise<unknown> {
  const file = files.find(({ name }) => name.endsWith(".onnx"))!;
  const model = readModel({
    bytes: await file.arrayBuffer(),
    external: Object.fromEntries(files.map((each) => [each.name, each])),
  });
  const { layers, findings } = await inspect(model);
  const { model: folded, report } = await fold(model);
  // One thread: the page needs no worker.
  ort.env.wasm.numThreads = 1;
  const { passed, executed } = await verifyFold(model, { ort, inputs: randomInputs(model, ort), executionProviders: ["wasm"] });
  return {
    layers: layers.map(({ name }) => name),
    findings: findings.map(({ code }) => code),
    folded: report.folded.map(({ layer }) => layer),
    kept: report.kept.map(({ code }) => code),
    digest: await digestOf(writeModel(folded)),
    passed,
    executed: executed.length,
  };
}

async function digestOf(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes.slice());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
