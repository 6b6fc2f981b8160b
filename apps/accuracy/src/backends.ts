import { fileURLToPath } from "node:url";
import { onnxCpu, onnxWasm } from "@batchnorm/adapters/onnx/node";
import { tfjsWasm } from "@batchnorm/adapters/tfjs/node";
import { createBackend } from "@batchnorm/backend-cpu";
import type { AnyBackend } from "@batchnorm/conformance";
import { openPage } from "@batchnorm/in-browser";
import { makeCase, type Plan } from "./cases.ts";
import { type Measurement, measurementOf, truthOf } from "./errors.ts";
import { resultsOf } from "./run.ts";

/** The module in the page. */
declare const module: typeof import("./page.ts");

/** A backend that is measured, wherever it runs. */
export interface Subject {
  errors(plan: Plan): Promise<Measurement>;
  close(): Promise<void>;
}

export const SUBJECTS: Readonly<Record<string, () => Promise<Subject>>> = {
  cpu: () => inNode(createBackend()),
  "tfjs/wasm": () => inNode(tfjsWasm()),
  "onnx/wasm": () => inNode(onnxWasm()),
  "onnx/cpu": () => inNode(onnxCpu()),
  "tfjs/webgl": () => inChromium("tfjs/webgl"),
  "tfjs/webgpu": () => inChromium("tfjs/webgpu"),
  "onnx/webgpu": () => inChromium("onnx/webgpu"),
};

async function inNode(made: AnyBackend | Promise<AnyBackend>): Promise<Subject> {
  const backend = await made;
  return {
    errors: async (plan) => {
      const each = makeCase(plan);
      return measurementOf(await resultsOf(backend, each), truthOf(each));
    },
    close: async () => {},
  };
}

async function inChromium(name: string): Promise<Subject> {
  const { page, close } = await openPage({ module: fileURLToPath(new URL("page.ts", import.meta.url)) });
  await page.evaluate((backend) => module.open(backend), name);
  return { errors: (plan) => page.evaluate((wanted) => module.run(wanted), plan), close };
}
