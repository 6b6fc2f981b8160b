import { backends } from "@batchnorm/adapters/browser";
import { defineConfig } from "@batchnorm/conformance";

/**
 * The backends of this repository as they run in Chromium: `pnpm conformance:browser`.
 *
 * This module is loaded in the page, once for every backend, in a browser of its own. To add a backend, add a function to the list
 * that imports it and makes it; the import is inside of the function so that no backend loads the runtime of another.
 *
 * - `onnxruntime-web` finds its .wasm by itself, since the page is built with vite. With more than one thread it has to be told its
 *   .mjs, too: see the adapter.
 * - TensorFlow.js has the shaders of `webgl` and `webgpu` in its code. `wasm` asks for the files of its package: import them as
 *   `@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url` (likewise the plain and the threaded one) and give the
 *   three addresses to `setWasmPaths`.
 *
 * Anything that the console shows as an error, or that nobody catches, fails the run. WebGPU and WebGL are in software.
 */
export default defineConfig({ backends: Object.values(backends) });
