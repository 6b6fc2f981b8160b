import type { TensorInfo } from "../../tf.ts";

/** The tensors of a tfjs backend that keeps them in the host's own memory: nothing has to be read back to loop over them. */
export interface HostMemory {
  /** A float32 tensor of this shape; what is in it is undefined. */
  allocate(shape: readonly number[]): TensorInfo;
  /** The elements of a float32 or bool tensor, to be read and written in place; until the next `allocate`. */
  elements(tensor: TensorInfo): Float32Array | Uint8Array;
}

/** What tfjs-backend-cpu 4.22 has of this. */
interface CpuLike {
  readonly data: { get(dataId: object): { readonly values: Float32Array | Uint8Array } };
  makeTensorInfo(shape: readonly number[], dtype: string, values: Float32Array): TensorInfo;
}

/** What tfjs-backend-wasm 4.22 has of this. */
interface WasmLike {
  makeOutput(shape: readonly number[], dtype: string): TensorInfo;
  typedArrayFromHeap(tensor: TensorInfo): Float32Array | Uint8Array;
}

/**
 * The memory of a backend's instance, or null where tensors lie on a device. The backends are told by what they have, since
 * their classes belong to packages that a project may not use.
 */
export function hostMemory(backend: object): HostMemory | null {
  if (isWasm(backend)) {
    return {
      // May grow the heap, which detaches every view made before.
      allocate: (shape) => backend.makeOutput(shape, "float32"),
      elements: (tensor) => backend.typedArrayFromHeap(tensor),
    };
  }
  if (isCpu(backend)) {
    return {
      allocate: (shape) =>
        backend.makeTensorInfo(shape, "float32", new Float32Array(shape.reduce((size, dimension) => size * dimension, 1))),
      elements: ({ dataId }) => backend.data.get(dataId).values,
    };
  }
  return null;
}

function isWasm(backend: object): backend is WasmLike {
  return hasMethod(backend, "makeOutput") && hasMethod(backend, "typedArrayFromHeap");
}

function isCpu(backend: object): backend is CpuLike {
  return hasMethod(backend, "makeTensorInfo") && "data" in backend && hasMethod(backend.data, "get");
}

function hasMethod(object: unknown, name: string): boolean {
  return typeof (object as Record<string, unknown> | null)?.[name] === "function";
}
