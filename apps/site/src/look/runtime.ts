import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import * as ort from "onnxruntime-web/wasm";

// Everything comes from this site, and one thread needs no headers that a plain file server does not send.
ort.env.wasm.wasmPaths = { wasm: new URL(wasm, import.meta.url).href };
ort.env.wasm.numThreads = 1;

export { ort };
