import { uninitializedFloats } from "@batchnorm/backend-cpu/kernels";
import { sizeOf } from "@batchnorm/spec";
import type { TensorInfo } from "../../tf.ts";

/** The tensors of a tfjs backend that keeps them in the host's own memory: nothing has to be read back to loop over them. */
export interface HostMemory {
  /** A float32 tensor of this shape; what is in it is undefined until it is written, all of it. */
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
    const views = new WeakMap<object, Float32Array | Uint8Array>();
    return {
      // May grow the heap, which detaches every view made before.
      allocate: (shape) => backend.makeOutput(shape, "float32"),
      // The same view for the same data: the kernels remember parts of it, and a backward pass finds those of its forward pass.
      elements(tensor) {
        const known = views.get(tensor.dataId);
        if (known !== undefined && known.buffer.byteLength > 0) return known;
        const view = backend.typedArrayFromHeap(tensor);
        views.set(tensor.dataId, view);
        return view;
      },
    };
  }
  if (isCpu(backend)) {
    return {
      allocate: (shape) => backend.makeTensorInfo(shape, "float32", uninitializedFloats(sizeOf(shape))),
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
