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
  const downloaded = new WeakSet<Tensor>();
  return {
    ...backend,
    name: "onnx/webgpu on gpu-buffer",
    upload: (tensor) => {
      const onHost = backend.upload(tensor);
      // There is no buffer of no bytes.
      return sizeOf(tensor.shape) === 0 ? onHost : toGpu(ort, device, tensor);
    },
    download: (tensor) => {
      // The gradients of parameters, of rank 1, may be those of no elements.
      const isNew = !downloaded.has(tensor) && sizeOf(tensor.dims) > 0 && tensor.dims.length > 1;
      if (isNew && tensor.location !== "gpu-buffer") throw new Error(`A tensor lies on ${tensor.location}, expected gpu-buffer.`);
      // From here on it lies on the host, as the runtime has it.
      downloaded.add(tensor);
      return backend.download(tensor);
    },
  };
}

function toGpu({ Tensor }: OrtRuntime, device: Device, { data, shape }: HostTensor): Tensor {
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
  const dataType = data instanceof Uint8Array ? "bool" : "float32";
  return Tensor.fromGpuBuffer(buffer as never, { dataType, dims: shape, download, dispose: () => buffer.destroy() }) as Tensor;
}
