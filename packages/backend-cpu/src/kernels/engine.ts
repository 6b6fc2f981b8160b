import { BatchNormError, type ChannelView } from "@batchnorm/spec";
import type { Elements } from "../memory/elements.ts";
import type { TensorMemory } from "../memory/kernel-memory.ts";
import type { ScratchOwner } from "./scratch.ts";

/** Which kernels compute. */
export interface EngineOptions {
  /**
   * `auto` (the default): SIMD WebAssembly where it runs and pays, plain TypeScript for small tensors and everywhere else.
   * `wasm`: for every tensor, and an error where it does not run. `plain`: for none.
   */
  readonly kernels?: "auto" | "plain" | "wasm" | undefined;
}

/** What the kernels of one backend run on. */
export interface Engine extends ScratchOwner {
  /** Where the SIMD kernels work; null where WebAssembly does not run, or is not wanted. */
  readonly memory: TensorMemory | null;
  /** The least elements of a tensor that the SIMD kernels are for, at least 1. */
  readonly smallest: number;
}

/** From how many elements on the SIMD kernels are quicker than the plain ones, call included. */
const SMALLEST = 256;

/**
 * @param makeMemory gives the memory for the SIMD kernels, null where these do not run.
 * @throws BatchNormError `invalid-argument`, and `unsupported` where WebAssembly is asked for by name and does not run.
 */
export function newEngine({ kernels = "auto" }: EngineOptions, makeMemory: () => TensorMemory | null): Engine {
  if (kernels !== "auto" && kernels !== "plain" && kernels !== "wasm") {
    throw new BatchNormError("invalid-argument", "There are no such kernels", kernels, "'auto', 'plain' or 'wasm'");
  }
  const memory = kernels === "plain" ? null : makeMemory();
  if (memory === null && kernels === "wasm") {
    throw new BatchNormError("unsupported", "The SIMD kernels do not run here", kernels, "'auto', or a runtime that allows WebAssembly");
  }
  return { memory, smallest: kernels === "wasm" ? 1 : SMALLEST, scratch: null };
}

/** The memory for a tensor of so many elements; null where the plain kernels take it. */
export function memoryFor({ memory, smallest }: Engine, elements: number): TensorMemory | null {
  return elements < smallest ? null : memory;
}

/**
 * Refuses data that does not fill the view, such as an array whose buffer was transferred since a layer looked at it: neither
 * the loops nor the windows on it would notice.
 *
 * @throws BatchNormError `data-length`.
 */
export function checkData(what: string, data: Elements, { outer, channels, inner }: ChannelView): void {
  if (data.length === outer * channels * inner) return;
  throw new BatchNormError(
    "data-length",
    `The data of ${what} does not fill its shape`,
    data.length,
    `${outer * channels * inner} elements, ${outer} x ${channels} x ${inner}`,
  );
}

/** @throws BatchNormError `data-length`. */
export function checkMaskData(mask: Uint8Array | null, { outer, inner }: ChannelView): void {
  if (mask === null || mask.length === outer * inner) return;
  throw new BatchNormError("data-length", "The data of the mask does not fill its shape", mask.length, `${outer * inner} elements`);
}
