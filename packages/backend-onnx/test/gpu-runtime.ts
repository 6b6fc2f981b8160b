import type { InferenceSession, Tensor } from "onnxruntime-common";
import type { OrtRuntime } from "../src/index.ts";
import { ort } from "./ort-web.ts";

/** A buffer of the pretended GPU. */
interface Buffer {
  readonly size: number;
  readonly mapState: "unmapped";
  readonly data: Float32Array | Uint8Array;
}

/**
 * A runtime that pretends to have a GPU: wasm computes, and what is to stay on the GPU lies in buffers that can be
 * counted. To use one that was destroyed is an error here, where a real device would read whatever lies there now.
 */
export class GpuRuntime {
  readonly #buffers = new Set<Buffer>();
  #sessions = 0;
  #downloads = 0;

  readonly runtime: OrtRuntime = {
    env: ort.env,
    Tensor: ort.Tensor,
    InferenceSession: {
      create: async (model: Uint8Array, { preferredOutputLocation = {}, ...options }: InferenceSession.SessionOptions) => {
        const session = await ort.InferenceSession.create(model, { ...options, executionProviders: ["wasm"] });
        this.#sessions++;
        const stays = preferredOutputLocation as Record<string, string>;
        return {
          run: async (feeds: Record<string, Tensor>, outputs: string[]) => {
            const onHost = Object.entries(feeds).map(([name, tensor]) => [name, this.#onHost(tensor)]);
            const results = await session.run(Object.fromEntries(onHost), outputs);
            const placed = Object.entries(results).map(([name, tensor]) => [name, stays[name] ? this.upload(tensor) : tensor]);
            return Object.fromEntries(placed);
          },
          release: async () => {
            this.#sessions--;
            await session.release();
          },
        };
      },
    },
  } as unknown as OrtRuntime;

  /** How many buffers are there that nobody destroyed. */
  get buffers(): number {
    return this.#buffers.size;
  }

  /** How many sessions are there that nobody released. */
  get sessions(): number {
    return this.#sessions;
  }

  /** How many times something was read back. */
  get downloads(): number {
    return this.#downloads;
  }

  /** A copy of a tensor on the GPU. */
  upload({ data, dims, type }: Tensor): Tensor {
    const copy = (data as Float32Array).slice();
    const buffer: Buffer = { size: Math.ceil(copy.byteLength / 16) * 16, mapState: "unmapped", data: copy };
    this.#buffers.add(buffer);
    return ort.Tensor.fromGpuBuffer(buffer as never, {
      dataType: type as "float32",
      dims,
      download: async () => {
        this.#downloads++;
        return copy.slice() as never;
      },
      dispose: () => {
        this.#buffers.delete(buffer);
      },
    }) as Tensor;
  }

  #onHost(tensor: Tensor): Tensor {
    if (tensor.location !== "gpu-buffer") return tensor;
    const buffer = tensor.gpuBuffer as unknown as Buffer;
    if (!this.#buffers.has(buffer)) throw new Error("a buffer is used that was destroyed");
    return new ort.Tensor(tensor.type as "float32", buffer.data as Float32Array, tensor.dims);
  }
}
