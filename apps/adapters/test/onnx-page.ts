import { createBackend, type OnnxBackend } from "@batchnorm/backend-onnx";
import type { StateInput } from "@batchnorm/spec";
import type { Tensor } from "onnxruntime-common";
import { onnxJsepOnGpu, onnxWasm, onnxWebgpu, onnxWebgpuOnGpu } from "../src/onnx/browser.ts";

/** Two channels, no number twice. */
const STATE: StateInput = {
  parameters: { gamma: [1.5, -0.5], beta: [0.25, 2] },
  statistics: { movingMean: [0.75, -1.25], movingVariance: [4, 0.5] },
};

/** Three rows of two channels. */
const X = { data: Float32Array.of(1, -2, 3, 0.5, -4, 8), shape: [3, 2] };
const DY = { data: Float32Array.of(1, 2, -3, 4, 5, -6), shape: [3, 2] };

/** The name of a backend, or the code and message of the error that came in its place. */
export async function nameOf(executionProviders?: readonly string[]): Promise<string> {
  return createBackend({ executionProviders }).then(
    ({ name }) => name,
    ({ code, message }) => `${code}: ${message}`,
  );
}

/** As on a machine without a GPU. */
export function withoutAdapter(): void {
  const { gpu } = navigator as unknown as { gpu: { requestAdapter: () => Promise<null> } };
  gpu.requestAdapter = async () => null;
}

/** One training step on the wasm provider with two threads, to see that it runs. */
export async function trainOnWasm(): Promise<{ name: string; movingMean: number[] }> {
  (await import("onnxruntime-web")).env.wasm.numThreads = 2;
  const backend = await onnxWasm();
  const layer = backend.create({ momentum: 0.5 }, 2);
  await layer.call(backend.upload(X), { training: true });
  return { name: backend.name, movingMean: [...(await layer.state()).statistics.movingMean] };
}

async function read(backend: OnnxBackend, tensor: Tensor | null): Promise<number[] | null> {
  return tensor && [...((await backend.download(tensor)).data as Float32Array)];
}

const MASKED = { "on the host": onnxWebgpu, "on the GPU": onnxWebgpuOnGpu, "on the GPU, by the older provider": onnxJsepOnGpu };

/** What a training step under a mask gives, for masks of the same meaning; x, mask and dy lie somewhere. */
export async function maskedSteps(where: keyof typeof MASKED): Promise<unknown[]> {
  const backend = await MASKED[where]();
  const steps: unknown[] = [];
  for (const mask of [
    [1, 0, 1],
    [255, 0, 128],
  ]) {
    const layer = backend.create({}, STATE);
    const options = { training: true, mask: backend.upload({ data: Uint8Array.from(mask), shape: [3] }) };
    const y = await layer.call(backend.upload(X), options);
    const { dx, dgamma, dbeta } = await layer.backward(backend.upload(DY));
    steps.push([
      await read(backend, y),
      await read(backend, dx),
      await read(backend, dgamma),
      await read(backend, dbeta),
      JSON.stringify(await layer.state()),
    ]);
    await layer.dispose();
  }
  return steps;
}

/** Calls of two layers, one of which is disposed of in the middle: all at once, and one after another. */
export async function overlapping(): Promise<{ atOnce: unknown; inTurn: unknown }> {
  const backend = await onnxWebgpuOnGpu();
  const run = async (wait: boolean): Promise<unknown> => {
    const [layer, other] = [backend.create({ momentum: 0.5 }, STATE), backend.create({ momentum: 0.5 }, STATE)];
    const [x, dy] = [backend.upload(X), backend.upload(DY)];
    const steps: (() => Promise<unknown>)[] = [
      () => layer.call(x, { training: true }),
      () => other.call(x, { training: true }),
      () => layer.backward(dy).then(({ dx }) => dx),
      () => other.dispose(),
      () => {
        layer.freeze();
        return layer.call(x, { training: true });
      },
      () => layer.backward(dy).then(({ dx }) => dx),
      () => layer.state(),
      () => layer.dispose(),
    ];
    const results: unknown[] = [];
    if (wait) for (const step of steps) results.push(await step());
    else results.push(...(await Promise.all(steps.map((step) => step()))));
    return Promise.all(
      results.map((each) => (typeof each === "object" && each && "dims" in each ? read(backend, each as Tensor) : JSON.stringify(each))),
    );
  };
  return { atOnce: await run(false), inTurn: await run(true) };
}

/** How many bytes of GPU buffers are there after some training steps on the GPU, and after many more. */
export async function growthOnGpu(): Promise<{ before: number; after: number }> {
  let bytes = 0;
  type Buffer = { size: number; destroy: () => void };
  const { GPUDevice, GPUBuffer } = globalThis as unknown as Record<string, { prototype: Record<string, (...given: unknown[]) => unknown> }>;
  const { createBuffer } = GPUDevice.prototype;
  const { destroy } = GPUBuffer.prototype;
  const live = new Set<unknown>();
  GPUDevice.prototype.createBuffer = function (...given) {
    const buffer = createBuffer.apply(this, given) as Buffer;
    live.add(buffer);
    bytes += buffer.size;
    return buffer;
  };
  GPUBuffer.prototype.destroy = function () {
    if (live.delete(this)) bytes -= (this as unknown as Buffer).size;
    return destroy.apply(this);
  };
  const backend = await onnxWebgpuOnGpu();
  const large = { data: new Float32Array(64 * 1024).fill(1), shape: [1024, 64] };
  const steps = async (count: number): Promise<void> => {
    const layer = backend.create({ scale: false }, 64);
    for (let k = 0; k < count; k++) {
      const [x, dy] = [backend.upload(large), backend.upload(large)];
      const y = await layer.call(x, { training: true });
      const { dx, dbeta } = await layer.backward(dy);
      for (const tensor of [x, dy, y, dx, dbeta]) tensor?.dispose();
    }
    await layer.dispose();
  };
  await steps(5);
  const before = bytes;
  await steps(20);
  return { before, after: bytes };
}
