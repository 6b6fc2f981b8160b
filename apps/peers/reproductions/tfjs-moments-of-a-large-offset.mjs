import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";

setWasmPaths(join(dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm/package.json")), "wasm-out/"));
for (const backend of ["cpu", "wasm"]) {
  await tf.setBackend(backend);
  for (const offset of [3333.3333, 1e7]) {
    const x = tf.tensor(Float32Array.from({ length: 1000 }, () => offset));
    const { mean, variance } = tf.moments(x);
    console.log(`${backend}: of 1000 times ${offset}`, "mean", mean.arraySync(), "variance", variance.arraySync());
  }
}
console.log("expected: a variance of 0");
