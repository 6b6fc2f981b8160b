import { BatchNormError, type FloatTensor, type HostTensor, hostTensors, sizeOf, type TensorAccess } from "@batchnorm/spec";
import { type HalfData, halfBits } from "@batchnorm/spec/half";
import type { Tensor } from "onnxruntime-common";
import type { Device } from "./device.ts";
import { isWebRuntime, type OrtRuntime } from "./runtime.ts";

/** `ort.Tensor` as the tensor of a backend. One of another copy of the runtime's package is one, too. */
export function ortTensors(
  { Tensor }: Pick<OrtRuntime, "Tensor">,
  device: Pick<Device, "onHost" | "locations">,
): TensorAccess<Tensor, "async"> {
  return {
    describe(tensor) {
      assertTensor(tensor);
      if (tensor.location === "none")
        throw new BatchNormError("invalid-argument", "A tensor was disposed", "a disposed tensor", "one in use");
      if (!device.locations.includes(tensor.location)) {
        const wanted = device.locations.join(" or ");
        throw new BatchNormError("invalid-argument", "A tensor lies where this backend does not read it", tensor.location, wanted);
      }
      if (isOnGpu(tensor)) checkBuffer(tensor);
      // The runtime has compared the two once. Since then, dims may have been written to, or the array given away to a
      // worker.
      const length = isOnGpu(tensor) ? tensor.size : (tensor.data as HostData).length;
      return { shape: tensor.dims, dtype: tensor.type, length };
    },
    // To look for one is to read x, and what lies on a GPU would have to be read back for that.
    ...(device.onHost && {
      findNonFinite: (x, view) => hostTensors.findNonFinite(onHostTensor(x, x.data as HostData) as FloatTensor, view),
    }),
    upload({ data, shape }) {
      if (isHalfData(data)) return new Tensor("float16", halfBits(data).slice(), [...shape]);
      // A byte an element is a mask. `from` and not `slice`, since the runtime takes arrays of its own realm alone.
      if (data.BYTES_PER_ELEMENT === 1) return new Tensor("bool", Uint8Array.from(data), [...shape]);
      return new Tensor("float32", Float32Array.from(data), [...shape]);
    },
    async download(tensor): Promise<HostTensor> {
      // Downloaded from a GPU, the tensor lies in the host's memory from here on, as the runtime has it: `true` frees
      // its buffer.
      const data = await tensor.getData(true);
      return onHostTensor(tensor, (data as Float32Array).slice());
    },
    release(tensor) {
      assertTensor(tensor);
      tensor.dispose();
    },
  };
}

type HostData = HostTensor["data"];

/** A tensor of typed arrays with this data. */
function onHostTensor({ type, dims }: Tensor, data: HostData): HostTensor {
  return { data, shape: [...dims], dtype: type === "float16" ? type : undefined };
}

function isHalfData(data: HostData): data is HalfData {
  return data.BYTES_PER_ELEMENT === 2;
}

/** @throws BatchNormError `invalid-argument` */
function assertTensor(tensor: Tensor): void {
  if (typeof tensor?.type === "string" && Array.isArray(tensor.dims) && typeof tensor.location === "string") return;
  throw new BatchNormError("invalid-argument", "A tensor is not one of the runtime", tensor, "an ort.Tensor");
}

/**
 * The runtime's shaders read a GPU buffer in steps of 16 bytes, and get wrong numbers, silently, from one that ends
 * within a step (onnxruntime-web 1.30).
 */
function checkBuffer({ gpuBuffer, dims, type }: Tensor): void {
  const bytes = sizeOf(dims) * (type === "float32" ? 4 : type === "float16" ? 2 : 1);
  const wanted = Math.ceil(bytes / 16) * 16;
  if (gpuBuffer.size < wanted) {
    throw new BatchNormError("data-length", "The GPU buffer of a tensor is too short", gpuBuffer.size, `${wanted} bytes, a multiple of 16`);
  }
}

/** A new float32 tensor in the host's memory, over this very array. */
export function hostTensor({ Tensor }: OrtRuntime, data: Float32Array, shape: readonly number[]): Tensor {
  return new Tensor("float32", data, shape);
}

export function zeros({ Tensor }: OrtRuntime, shape: readonly number[], dtype: string = "float32"): Tensor {
  if (dtype === "float16") return new Tensor("float16", new Uint16Array(sizeOf(shape)), [...shape]);
  return new Tensor("float32", new Float32Array(sizeOf(shape)), [...shape]);
}

export function isOnGpu(tensor: Tensor): boolean {
  return tensor.location === "gpu-buffer";
}

/** The same memory under another shape, wherever it lies. It owns nothing: the tensor must outlive it. */
export function viewOf(ort: OrtRuntime, tensor: Tensor, shape: readonly number[]): Tensor {
  const { Tensor } = ort;
  if (isOnGpu(tensor)) {
    return Tensor.fromGpuBuffer(tensor.gpuBuffer, { dataType: tensor.type as Tensor.GpuBufferDataTypes, dims: shape });
  }
  const { data } = tensor;
  if (tensor.type === "float16") return viewOfHalf(ort, halfBits(data as HalfData), shape);
  if (data instanceof Float32Array) return new Tensor("float32", data, shape);
  // An array of another realm is none to the runtime. This one is of the same memory.
  const { buffer, byteOffset, length } = data as unknown as Float32Array;
  return new Tensor("float32", new Float32Array(buffer, byteOffset, length), shape);
}

/**
 * Over the bits, which every runtime takes. Where there is a Float16Array, the tensor has one as its data. onnxruntime-node 1.30 takes
 * that for an empty array ("not enough space: expected 8, got 0", Node 24 and 26), and is given the bits after all.
 */
function viewOfHalf(ort: OrtRuntime, bits: Uint16Array, shape: readonly number[]): Tensor {
  const tensor = new ort.Tensor("float16", bits, shape);
  return isWebRuntime(ort) ? tensor : Object.defineProperty(tensor, "data", { value: bits });
}

/**
 * A mask as the graphs take it, 0 or 1 an element: a byte of 255, such as an image's alpha channel has, is true to
 * the contract, but the runtime's CPU kernels count it as 255 elements. On the host it is a copy, which the caller
 * cannot write to any more; on a GPU a view, since shaders read "not 0" (onnxruntime-web 1.30).
 */
export function maskOf({ Tensor }: OrtRuntime, mask: Tensor, shape: readonly number[]): Tensor {
  if (isOnGpu(mask)) return Tensor.fromGpuBuffer(mask.gpuBuffer, { dataType: "bool", dims: shape });
  const given = mask.data as Uint8Array;
  const copy = new Uint8Array(given.length);
  for (let k = 0; k < given.length; k++) copy[k] = given[k] === 0 ? 0 : 1;
  return new Tensor("bool", copy, shape);
}

/**
 * A tensor that takes the place of an output of the runtime, under another shape: whoever disposes it disposes that
 * one.
 */
export function reshaped({ Tensor }: OrtRuntime, tensor: Tensor, shape: readonly number[]): Tensor {
  const type = tensor.type as "float32";
  // A copy of the shape, since the tensor is the caller's.
  if (!isOnGpu(tensor)) return new Tensor(type, tensor.data as Float32Array, [...shape]);
  return Tensor.fromGpuBuffer<"float32">(tensor.gpuBuffer, {
    dataType: type,
    dims: [...shape],
    download: () => tensor.getData() as Promise<Float32Array>,
    dispose: () => tensor.dispose(),
  });
}
