import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";

/** A backend of tfjs, in Node. */
export type TfjsDevice = "cpu" | "wasm";

/** Makes one of tfjs's own backends the current one. */
export async function useDevice(device: TfjsDevice): Promise<void> {
  if (device === "wasm") {
    const packageFile = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm/package.json");
    setWasmPaths(join(dirname(packageFile), "wasm-out/"));
  }
  if (!(await tf.setBackend(device))) throw new Error(`tfjs could not initialize its backend ${device}.`);
}

/** What a tensor holds, which is freed. */
export async function takeData(tensor: tf.Tensor): Promise<Float32Array> {
  const data = ((await tensor.data()) as Float32Array).slice();
  tensor.dispose();
  return data;
}
