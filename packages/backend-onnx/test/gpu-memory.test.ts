import type { BatchNormConfig, CallOptions } from "@batchnorm/spec";
import type { Tensor } from "onnxruntime-common";
import { describe, expect, test } from "vitest";
import { createBackend, type OnnxBackend } from "../src/index.ts";
import { GpuRuntime } from "./gpu-runtime.ts";
import { STATE, X } from "./layers.ts";

const MASK = { data: Uint8Array.of(255, 0, 1), shape: [3] };

async function start(): Promise<{ gpu: GpuRuntime; backend: OnnxBackend; x: () => Tensor; mask: () => Tensor }> {
  const gpu = new GpuRuntime();
  const backend = await createBackend({ ort: gpu.runtime, executionProviders: ["webgpu"] });
  return { gpu, backend, x: () => gpu.upload(backend.upload(X)), mask: () => gpu.upload(backend.upload(MASK)) };
}

/** A state without what the config turns off. */
function stateFor({ scale = true, center = true }: Partial<BatchNormConfig>) {
  const { gamma, beta } = STATE.parameters;
  return { ...STATE, parameters: { gamma: scale ? gamma : null, beta: center ? beta : null } } as typeof STATE;
}

test("the session of the start stays, since the runtime's GPUDevice would go with it", async () => {
  const { gpu, backend } = await start();
  expect(backend.name).toBe("onnx/webgpu");
  expect(gpu.sessions).toBe(1);
  await backend.releaseIdleSessions();
  expect(gpu.sessions).toBe(0);
});

describe("what a layer held on the GPU is gone with it, and the caller's results are the caller's", () => {
  const configs: Partial<BatchNormConfig>[] = [{}, { scale: false }, { center: false }, { scale: false, center: false }];
  test.each(configs)("%j", async (config) => {
    const { gpu, backend, x, mask } = await start();
    const layer = backend.create(config, stateFor(config));
    const callers: (Tensor | null)[] = [];
    const own = (tensor: Tensor): Tensor => {
      callers.push(tensor);
      return tensor;
    };
    const pass = async (options: CallOptions<Tensor>): Promise<void> => {
      const results: (Tensor | null)[] = [await layer.call(own(x()), options)];
      const { training = false, gradient = training } = options;
      for (let k = 0; gradient && k < 2; k++) results.push(...Object.values(await layer.backward(own(x()))));
      expect(results.every((each) => each === null || each.location === "gpu-buffer")).toBe(true);
      callers.push(...results);
    };
    for (let round = 0; round < 2; round++) {
      await pass({});
      await pass({ gradient: true });
      await pass({ training: true });
      await pass({ training: true, gradient: false });
      await pass({ training: true, mask: own(mask()) });
      layer.freeze();
      await pass({ training: true });
      layer.unfreeze();
    }
    // Passes that nobody goes back through: one that setState drops, and one that is there at the end.
    own(await layer.call(own(x()), { training: true, mask: own(mask()) }));
    await layer.setState({ parameters: config.center === false ? {} : { beta: [1, 2] } });
    await layer.state();
    own(await layer.call(own(x()), { training: true, mask: own(mask()) }));
    await layer.dispose();
    for (const tensor of callers) tensor?.dispose();
    expect(gpu.buffers).toBe(0);
    expect(gpu.sessions).toBeGreaterThan(0);
    await backend.releaseIdleSessions();
    expect(gpu.sessions).toBe(0);
  });
});

test("the number of buffers does not grow with the steps", async () => {
  const { gpu, backend, x } = await start();
  const layer = backend.create({}, STATE);
  const step = async (): Promise<number> => {
    const [given, dy] = [x(), x()];
    const y = await layer.call(given, { training: true });
    const { dx, dgamma, dbeta } = await layer.backward(dy);
    for (const tensor of [given, dy, y, dx, dgamma, dbeta]) tensor?.dispose();
    return gpu.buffers;
  };
  const first = await step();
  for (let k = 0; k < 50; k++) expect(await step()).toBe(first);
  // Statistics and what the pass keeps.
  expect(first).toBe(2);
});

test("setState reads back no more than it has to", async () => {
  const { gpu, backend, x } = await start();
  const layer = backend.create({}, STATE);
  await layer.call(x(), { training: true, gradient: false });
  await layer.setState({ parameters: { gamma: [1, 2], beta: [3, 4] } });
  await layer.setState({ parameters: { gamma: [1, 2] } });
  await layer.call(x(), { training: true, gradient: false });
  await layer.setState({ statistics: { movingMean: [0, 1], movingVariance: [2, 3] } });
  expect(gpu.downloads).toBe(0);
  await layer.call(x(), { training: true, gradient: false });
  await layer.setState({ statistics: { movingMean: [0, 0] } });
  expect(gpu.downloads).toBe(1);
  await layer.dispose();
});

test("a pass that fails leaves nothing on the GPU, and what was there stays", async () => {
  const { gpu, backend, x } = await start();
  const layer = backend.create({}, STATE);
  const given = x();
  const y = await layer.call(given, { training: true });
  const before = await layer.state();
  const held = gpu.buffers;
  const lost = x();
  const failing = layer.call(lost, { training: true });
  lost.dispose();
  await expect(failing).rejects.toMatchObject({ code: "runtime-failure" });
  expect(await layer.state()).toEqual(before);
  // The pass before the failed one was dropped.
  expect(gpu.buffers).toBe(held - 1);
  y.dispose();
  given.dispose();
  await layer.dispose();
  expect(gpu.buffers).toBe(0);
});

test("x that its owner disposed of before backward is an error, not another's memory", async () => {
  const { backend, x } = await start();
  const layer = backend.create({}, STATE);
  const given = x();
  await layer.call(given, { training: true });
  given.dispose();
  await expect(layer.backward(x())).rejects.toMatchObject({ code: "runtime-failure" });
});

test("one layer is disposed of while another one's pass is pending", async () => {
  const { gpu, backend, x } = await start();
  const [one, other] = [backend.create({}, STATE), backend.create({}, STATE)];
  const [given, dy] = [x(), x()];
  const [y, , z, { dx, dgamma, dbeta }] = await Promise.all([
    one.call(given, { training: true }),
    one.dispose(),
    other.call(given, { training: true }),
    other.backward(dy),
  ]);
  await other.dispose();
  for (const tensor of [given, dy, y, z, dx, dgamma, dbeta]) tensor?.dispose();
  expect(gpu.buffers).toBe(0);
  await backend.releaseIdleSessions();
  expect(gpu.sessions).toBe(0);
});

test("a tensor of the host's goes out on the host", async () => {
  const { gpu, backend } = await start();
  const layer = backend.create({}, STATE);
  const y = await layer.call(backend.upload(X), { training: true });
  const { dx, dgamma, dbeta } = await layer.backward(backend.upload(X));
  expect([y, dx, dgamma, dbeta].map((each) => each?.location)).toEqual(["cpu", "cpu", "cpu", "cpu"]);
  await layer.dispose();
  expect(gpu.buffers).toBe(0);
});
