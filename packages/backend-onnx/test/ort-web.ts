import * as ort from "onnxruntime-web";

// Worker threads would outlive the tests, and one thread is what the bounds and timings are about.
ort.env.wasm.numThreads = 1;

export { ort };
