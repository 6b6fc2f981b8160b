import type { backends } from "@batchnorm/adapters/browser";

/** Of those that `apps/adapters` makes. */
export type BackendName = keyof typeof backends;

/** What a browser has to have for a backend. */
export type Need = "threads" | "webgl" | "webgpu";

export interface LiveBackend {
  /** As the backend itself says it. */
  readonly name: BackendName;
  readonly about: string;
  readonly needs: Need | null;
}

/** Every backend that a browser may run. */
export const BACKENDS: readonly LiveBackend[] = [
  {
    name: "cpu",
    about: "plain TypeScript for small tensors, WebAssembly for others",
    needs: null,
  },
  {
    name: "cpu/wasm",
    about: "WebAssembly for all",
    needs: null,
  },
  {
    name: "cpu/threads",
    about: "WebAssembly in two threads",
    needs: "threads",
  },
  {
    name: "onnx/wasm",
    about: "ONNX Runtime on WebAssembly",
    needs: null,
  },
  {
    name: "onnx/webgpu",
    about: "ONNX Runtime on the GPU",
    needs: "webgpu",
  },
  {
    name: "onnx/webgpu on gpu-buffer",
    about: "ONNX Runtime with tensors on the GPU",
    needs: "webgpu",
  },
  {
    name: "tfjs/cpu",
    about: "TensorFlow.js in plain JavaScript",
    needs: null,
  },
  {
    name: "tfjs/wasm",
    about: "TensorFlow.js on WebAssembly",
    needs: null,
  },
  {
    name: "tfjs/webgl",
    about: "TensorFlow.js in WebGL shaders",
    needs: "webgl",
  },
  {
    name: "tfjs/webgpu",
    about: "TensorFlow.js in WebGPU shaders",
    needs: "webgpu",
  },
];
