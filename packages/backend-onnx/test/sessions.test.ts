import { expect, test } from "vitest";
import { createBackend } from "../src/index.ts";
import { STATE, X, X_FIRST } from "./layers.ts";
import { recordedBackend, recordingRuntime } from "./recording-runtime.ts";

test("creating a layer makes no session, and neither does a refused call", async () => {
  const { backend, recording } = await recordedBackend();
  const layer = backend.create({}, STATE);
  await expect(layer.call(backend.upload({ data: new Float32Array(3), shape: [3, 1] }))).rejects.toMatchObject({
    code: "channel-mismatch",
  });
  await expect(layer.call(backend.upload({ data: new Uint8Array(6), shape: [3, 2] }))).rejects.toMatchObject({ code: "unknown-dtype" });
  await expect(layer.backward(backend.upload(X))).rejects.toMatchObject({ code: "no-forward" });
  expect(recording.created).toBe(0);
});

test("a graph is built once for all layers, shapes, axes and configs that share it", async () => {
  const { backend, recording } = await recordedBackend();
  const use = async (config: Parameters<typeof backend.create>[0]): Promise<void> => {
    const layer = backend.create(config, STATE);
    for (const rows of [3, 4, 12]) {
      const x = backend.upload({ data: new Float32Array(rows * 2).map((_, k) => k), shape: [rows, 2] });
      await layer.call(x);
      await layer.call(x, { training: true });
      await layer.backward(x);
    }
  };
  await Promise.all([use({}), use({})]);
  expect(recording.created).toBe(3);
  await use({ momentum: 0.5, nonFinite: "reject" });
  expect(recording.created).toBe(3);
  await use({ epsilon: 0.1 });
  // Inference has epsilon as a constant, and nothing else has.
  expect(recording.created).toBe(4);
});

test("layers at different layouts have graphs of their own", async () => {
  const { backend, recording } = await recordedBackend();
  const layer = backend.create({ axis: 1 }, STATE);
  await layer.call(backend.upload(X));
  await layer.call(backend.upload(X_FIRST));
  expect(recording.created).toBe(2);
});

test("a session outlives its last layer for the next one, until it is released as idle", async () => {
  const { backend, recording } = await recordedBackend();
  for (let k = 0; k < 3; k++) {
    const layer = backend.create({}, STATE);
    await layer.call(backend.upload(X));
    await layer.dispose();
  }
  expect(recording).toMatchObject({ created: 1, released: 0 });
  await backend.releaseIdleSessions();
  expect(recording).toMatchObject({ created: 1, released: 1 });
});

test("a session that a layer uses is not idle", async () => {
  const { backend, recording } = await recordedBackend();
  const [one, other] = [backend.create({}, STATE), backend.create({}, STATE)];
  await one.call(backend.upload(X));
  await other.call(backend.upload(X));
  await one.dispose();
  await backend.releaseIdleSessions();
  expect(recording.released).toBe(0);
  await other.call(backend.upload(X));
  await other.dispose();
  await backend.releaseIdleSessions();
  expect(recording).toMatchObject({ created: 1, released: 1 });
});

test("the number of idle sessions has a limit", async () => {
  const { backend, recording } = await recordedBackend();
  for (let k = 1; k <= 40; k++) {
    const layer = backend.create({ epsilon: k / 1000 }, STATE);
    await layer.call(backend.upload(X));
    await layer.dispose();
  }
  expect(recording.created).toBe(40);
  expect(recording.created - recording.released).toBe(16);
});

test("layers of one runtime take turns, also those of two backends", async () => {
  const recording = recordingRuntime();
  const backends = [await createBackend({ ort: recording.runtime }), await createBackend({ ort: recording.runtime })];
  const layers = backends.flatMap((backend) => [backend.create({}, STATE), backend.create({ axis: 0 }, STATE)]);
  await Promise.all(
    layers.map(async (layer, k) => {
      const x = backends[0].upload(k % 2 === 0 ? X : { data: X.data, shape: [2, 3] });
      await Promise.all([layer.call(x), layer.call(x, { training: true }), layer.backward(x), layer.dispose()]);
    }),
  );
  expect(recording.atOnce).toBe(1);
});
