/** The backends of this repository in a browser, by name. Each is loaded when it is made, and none loads the runtime of another. */
export const backends = {
  cpu: () => import("@batchnorm/backend-cpu").then(({ createBackend }) => createBackend()),
  "cpu/wasm": () => import("@batchnorm/backend-cpu").then(({ createBackend }) => createBackend({ kernels: "wasm" })),
  "cpu/threads": async () => {
    const [{ createBackend }, { inKernelMemory }] = await Promise.all([import("@batchnorm/backend-cpu"), import("./in-kernel-memory.ts")]);
    return inKernelMemory(createBackend({ kernels: "wasm", threads: 2 }));
  },
  "tfjs/cpu": () => import("./tfjs/browser.ts").then(({ tfjsCpu }) => tfjsCpu()),
  "tfjs/wasm": () => import("./tfjs/browser.ts").then(({ tfjsWasm }) => tfjsWasm()),
  "tfjs/webgl": () => import("./tfjs/browser.ts").then(({ tfjsWebgl }) => tfjsWebgl()),
  "tfjs/webgpu": () => import("./tfjs/browser.ts").then(({ tfjsWebgpu }) => tfjsWebgpu()),
  "onnx/wasm": () => import("./onnx/browser.ts").then(({ onnxWasm }) => onnxWasm()),
  "onnx/webgpu": () => import("./onnx/browser.ts").then(({ onnxWebgpu }) => onnxWebgpu()),
  "onnx/webgpu on gpu-buffer": () => import("./onnx/browser.ts").then(({ onnxWebgpuOnGpu }) => onnxWebgpuOnGpu()),
};
