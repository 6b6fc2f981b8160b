import { createBackend, type OnnxBackend, type OrtRuntime } from "@batchnorm/backend-onnx";
import { type HostTensor, sizeOf } from "@batchnorm/spec";
import type { Tensor } from "onnxruntime-common";
import * as webgpu from "onnxruntime-web/webgpu";

/** What this file uses of a GPUDevice; the types of WebGPU are not among TypeScript's own. */
interface Device {
  readonly queue: { submit(commands: readonly unknown[]): void };
  createBuffer(descriptor: { size: number; usage: number; mappedAtCreation?: boolean }): Buffer;
  createCommandEncoder(): {
    copyBufferToBuffer(from: Buffer, fromOffset: number, to: Buffer, toOffset: number, size: number): void;
    finish(): unknown;
  };
}

interface Buffer {
  getMappedRange(): ArrayBuffer;
  mapAsync(mode: number): Promise<void>;
  unmap(): void;
  destroy(): void;
}

// GPUMapMode.READ, and of GPUBufferUsage: MAP_READ, COPY_SRC, COPY_DST, STORAGE.
const READ = 1;
const USAGE = { mapRead: 0x1, copySource: 0x4, copyTarget: 0x8, storage: 0x80 };

/**
 * `onnx/webgpu` with x, mask and dy in GPU buffers of the caller's own: a backend for the suite, which then sees whether what comes in on
 * the GPU goes out there.
 */
export async function createBackendOnGpu(ort: OrtRuntime = webgpu): Promise<OnnxBackend> {
  const backend = await createBackend({ ort, executionProviders: ["webgpu"] });
  // The runtime has its device from its first session on.
  const device = (await ort.env.webgpu.device) as unknown as Device;
  const readers = new WeakMap<Tensor, () => Promise<HostTensor>>();
  const downloaded = new WeakSet<Tensor>();
  return {
    ...backend,
    name: "onnx/webgpu on gpu-buffer",
    upload: (tensor) => {
      const onHost = backend.upload(tensor);
      // There is no buffer of no bytes.
      if (sizeOf(onHost.dims) === 0) return onHost;
      const { tensor: onGpu, read } = toGpu(ort, device, onHost);
      readers.set(onGpu, read);
      return onGpu;
    },
    download: (tensor) => {
      // The runtime's own download moves a tensor to the host; what was uploaded here stays where it is.
      const read = readers.get(tensor);
      if (read !== undefined) return read();
      // The gradients of parameters, of rank 1, may be those of no elements.
      const isOutput = tensor instanceof ort.Tensor && sizeOf(tensor.dims) > 0 && tensor.dims.length > 1;
      if (isOutput && !downloaded.has(tensor) && tensor.location !== "gpu-buffer")
        return Promise.reject(new Error(`A tensor lies on ${tensor.location}, expected gpu-buffer.`));
      if (isOutput) downloaded.add(tensor);
      return backend.download(tensor);
    },
  };
}

/** A copy of a tensor in a GPU buffer, and what reads that. */
function toGpu(
  { Tensor }: OrtRuntime,
  device: Device,
  { data: given, dims, type }: Tensor,
): { tensor: Tensor; read(): Promise<HostTensor> } {
  const data = given as Float32Array | Uint8Array;
  // The runtime reads in steps of 16 bytes.
  const size = Math.ceil(data.byteLength / 16) * 16;
  const usage = USAGE.storage | USAGE.copySource | USAGE.copyTarget;
  const buffer = device.createBuffer({ size, usage, mappedAtCreation: true });
  new Uint8Array(buffer.getMappedRange()).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  buffer.unmap();
  const download = async (): Promise<never> => {
    const staging = device.createBuffer({ size, usage: USAGE.mapRead | USAGE.copyTarget });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(READ);
    const bytes = staging.getMappedRange().slice(0, data.byteLength);
    staging.destroy();
    return new (data.constructor as Float32ArrayConstructor)(bytes) as never;
  };
  const options = { dataType: type as "float32" | "float16" | "bool", dims: [...dims], download, dispose: () => buffer.destroy() };
  const tensor = Tensor.fromGpuBuffer(buffer as never, options) as Tensor;
  return { tensor, read: async () => ({ data: await download(), shape: [...dims] }) };
}
