import { LAYOUT, MEMORY_KIND, MODULE } from "./module.generated.ts";

/** What a wasm memory counts in. */
export const PAGE: number = 2 ** 16;

/** The pages of the fixed part of a kernel memory. */
export const FIXED_PAGES: number = Math.ceil(LAYOUT.HEAP / PAGE);

/** 4 GiB but a page, so that no address wraps. */
export const MOST_PAGES = 65535;

/** Makes the call whose record lies at an address. What it gives is the result of a search, -1 otherwise. */
export type RunCall = (address: number) => number;

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

/** Kernels that work in a memory of at least `FIXED_PAGES`. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): RunCall {
  return new WebAssembly.Instance(module, { env: { memory } }).exports.run as RunCall;
}
