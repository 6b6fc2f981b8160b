import { MEMORY_KIND, MODULE } from "./module.generated.ts";

const compiled: { plain?: WebAssembly.Module | null; shared?: WebAssembly.Module | null } = {};

/**
 * The kernels, compiled once, for a plain memory or for one that threads share; null where WebAssembly or its SIMD is missing or
 * forbidden. (A Content-Security-Policy without 'wasm-unsafe-eval' makes the constructor throw; so does an unknown instruction.)
 */
export function compileKernels(kind: "plain" | "shared"): WebAssembly.Module | null {
  compiled[kind] ??= compile(kind);
  return compiled[kind];
}

function compile(kind: "plain" | "shared"): WebAssembly.Module | null {
  try {
    const bytes = Uint8Array.from(atob(MODULE), (character) => character.charCodeAt(0));
    // The two modules differ in this byte alone: the kernels know nothing of threads.
    if (kind === "shared") bytes[MEMORY_KIND] = 3;
    return new WebAssembly.Module(bytes);
  } catch {
    return null;
  }
}
