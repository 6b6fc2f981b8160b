import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";

/** Makes one of tfjs's backends the active one. */
export async function startTfjs(backend: "cpu" | "wasm"): Promise<void> {
  const wasm = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm/package.json");
  setWasmPaths(join(dirname(wasm), "wasm-out/"));
  await tf.setBackend(backend);
}
