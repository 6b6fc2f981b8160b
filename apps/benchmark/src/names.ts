/** The competitors that the bars are about, by the names of their rows. */
export const COPY = "copy";
export const PLAIN_TYPESCRIPT = "plain TypeScript";
export const ARRAYS = "backend-cpu";
export const NEW_OUTPUTS = "backend-cpu, new outputs";
export const ALLOC = "backend-cpu, alloc";
export const ALLOC_FLOAT16 = "backend-cpu, alloc, float16";
export const ALLOC_BFLOAT16 = "backend-cpu, alloc, bfloat16";
export const THREADS = "backend-cpu, alloc, 2 threads";
export const ONNXRUNTIME = "onnxruntime-web wasm";
export const TFJS_WASM = "tfjs wasm";
export const TFJS_SPELLED_OUT = "tfjs wasm, spelled out";
export const TFJS_CPU = "tfjs cpu";
export const OURS_ON_TFJS_WASM = "backend-tfjs, wasm";
export const OURS_ON_TFJS_CPU = "backend-tfjs, cpu";
export const PYTORCH = "native PyTorch, 1 thread";
