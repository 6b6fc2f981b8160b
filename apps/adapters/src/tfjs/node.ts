import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createBackend, type TfjsBackend } from "@batchnorm/backend-tfjs";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";

/** tfjs's cpu backend. */
export async function tfjsCpu(): Promise<TfjsBackend> {
  return ready("cpu");
}

/** tfjs's wasm backend, from the binaries that its package ships. */
export async function tfjsWasm(): Promise<TfjsBackend> {
  const packageFile = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm/package.json");
  setWasmPaths(join(dirname(packageFile), "wasm-out/"));
  return ready("wasm");
}

async function ready(backend: string): Promise<TfjsBackend> {
  await tf.setBackend(backend);
  return createBackend({ tf, backend });
}
