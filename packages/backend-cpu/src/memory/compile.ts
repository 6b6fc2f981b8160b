import { HEAP } from "./layout.generated.ts";

/** Kernels as WebAssembly, as text. */
export interface KernelModule {
  readonly hexadecimal: string;
  /** Where in the module the kind of its memory stands: 1 for a plain one, 3 for a shared one. */
  readonly memoryKind: number;
}

/** What a wasm memory counts in. */
export const PAGE: number = 2 ** 16;

/** The pages of the fixed part of a kernel memory. */
export const FIXED_PAGES: number = Math.ceil(HEAP / PAGE);

/** 4 GiB but a page, so that no address wraps. */
export const MOST_PAGES = 65535;

/**
 * Makes the call whose record lies at an address, with SCRATCH_BYTES of the caller's own at another for half precision. What it gives
 * is the result of a search, -1 otherwise.
 */
export type RunCall = (address: number, scratch: number) => number;

const compiled = {
  plain: new Map<KernelModule, WebAssembly.Module | null>(),
  shared: new Map<KernelModule, WebAssembly.Module | null>(),
};

/**
 * Kernels, compiled once, for a plain memory or for one that threads share; null where WebAssembly or its SIMD is missing or
 * forbidden. (A Content-Security-Policy without 'wasm-unsafe-eval' makes the constructor throw; so does an unknown instruction.)
 */
export function compileKernels(kernels: KernelModule, kind: "plain" | "shared"): WebAssembly.Module | null {
  let module = compiled[kind].get(kernels);
  if (module === undefined) {
    module = compile(kernels, kind);
    compiled[kind].set(kernels, module);
  }
  return module;
}

function compile({ hexadecimal, memoryKind }: KernelModule, kind: "plain" | "shared"): WebAssembly.Module | null {
  try {
    const bytes = Uint8Array.from(
      { length: hexadecimal.length / 2 },
      (_, k) => 16 * digit(hexadecimal, 2 * k) + digit(hexadecimal, 2 * k + 1),
    );
    // The two modules differ in this byte alone: the kernels know nothing of threads.
    if (kind === "shared") bytes[memoryKind] = 3;
    return new WebAssembly.Module(bytes);
  } catch {
    return null;
  }
}

/** Faster than `parseInt`, which takes two milliseconds. */
function digit(hexadecimal: string, index: number): number {
  const code = hexadecimal.charCodeAt(index);
  return code - (code < 58 ? 48 : 87);
}

/** Kernels that work in a memory of at least `FIXED_PAGES`. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): RunCall {
  return new WebAssembly.Instance(module, { env: { memory } }).exports.run as RunCall;
}
