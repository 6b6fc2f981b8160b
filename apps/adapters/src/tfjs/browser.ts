import { createBackend, type TfjsBackend } from "@batchnorm/backend-tfjs";
import * as tf from "@tensorflow/tfjs-core";

/** tfjs's cpu backend. */
export async function tfjsCpu(): Promise<TfjsBackend> {
  await import("@tensorflow/tfjs-backend-cpu");
  return ready("cpu");
}

/** tfjs's webgl backend. */
export async function tfjsWebgl(): Promise<TfjsBackend> {
  await import("@tensorflow/tfjs-backend-webgl");
  // tfjs computes small tensors on the CPU, and those of the suite are small: here it is the shaders that shall be checked.
  tf.env().set("WEBGL_CPU_FORWARD", false);
  return ready("webgl");
}

/** tfjs's webgpu backend. */
export async function tfjsWebgpu(): Promise<TfjsBackend> {
  await import("@tensorflow/tfjs-backend-webgpu");
  tf.env().set("WEBGPU_CPU_FORWARD", false);
  return ready("webgpu");
}

/** tfjs's wasm backend: its threaded build, over shared memory, where the page is cross-origin isolated. */
export async function tfjsWasm(): Promise<TfjsBackend> {
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  const [plain, simd, threaded] = await Promise.all([
    import("@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url"),
    import("@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url"),
    import("@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url"),
  ]);
  setWasmPaths({
    "tfjs-backend-wasm.wasm": plain.default,
    "tfjs-backend-wasm-simd.wasm": simd.default,
    "tfjs-backend-wasm-threaded-simd.wasm": threaded.default,
  });
  return ready("wasm");
}

async function ready(name: string): Promise<TfjsBackend> {
  if (await tf.setBackend(name)) return createBackend({ tf });
  throw new Error(`tfjs could not initialize its backend ${name} in this browser.`);
}
