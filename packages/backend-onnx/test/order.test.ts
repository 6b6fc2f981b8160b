import { describe, expect, test } from "vitest";
import { createBackend } from "../src/index.ts";
import { STATE, X } from "./layers.ts";
import { ort } from "./ort-web.ts";
import { recordedBackend } from "./recording-runtime.ts";

const DY = { data: Float32Array.of(1, 2, -3, 4, 5, -6), shape: [3, 2] };

describe("calls that overlap act as if each had been awaited", () => {
  test.each(["wasm", "cpu"])("with a freeze in between, onnx/%s", async (name) => {
    const backend = await createBackend({ ort: name === "cpu" ? await import("onnxruntime-node") : ort });
    const [x, dy] = [backend.upload(X), backend.upload(DY)];
    const [overlapping, awaited] = [backend.create({ momentum: 0.5 }, STATE), backend.create({ momentum: 0.5 }, STATE)];
    const data = async (given: Promise<unknown>): Promise<unknown> => {
      const value = await given;
      if (value instanceof ort.Tensor || !(value as { dx?: unknown }).dx) return (value as { data?: unknown }).data ?? value;
      return Object.values(value as Record<string, { data: unknown } | null>).map((each) => each?.data ?? null);
    };
    const run = (layer: typeof overlapping) => [
      () => layer.call(x, { training: true }),
      () => layer.backward(dy),
      () => {
        layer.freeze();
        return layer.call(x, { training: true });
      },
      () => layer.backward(dy),
      () => {
        layer.unfreeze();
        return layer.call(x, { training: true, gradient: false });
      },
      () => layer.call(x, { gradient: true }),
      () => layer.backward(dy),
      () => layer.state(),
    ];
    const expected: unknown[] = [];
    for (const step of run(awaited)) expected.push(await data(step()));
    const got = await Promise.all(run(overlapping).map((step) => data(step())));
    expect(got).toEqual(expected);
    // The frozen pass has no gradients of parameters, the others have.
    expect([got[1], got[3], got[6]].map((each) => (each as unknown[]).filter((gradient) => gradient !== null).length)).toEqual([3, 1, 3]);
  });
});

test("a layer is disposed of while another one's pass is pending", async () => {
  const { backend, recording } = await recordedBackend();
  const [one, other, twin] = [backend.create({}, STATE), backend.create({}, STATE), backend.create({}, STATE)];
  const [x, dy] = [backend.upload(X), backend.upload(DY)];
  const pass = other.call(x, { training: true });
  const [, , , dx] = await Promise.all([one.call(x, { training: true }), one.dispose(), pass, other.backward(dy).then((each) => each.dx)]);
  await backend.releaseIdleSessions();
  await twin.call(x, { training: true });
  expect(dx.data).toEqual((await twin.backward(dy)).dx.data);
  expect(await other.state()).toEqual(await twin.state());
  await Promise.all([other.dispose(), twin.dispose()]);
  await backend.releaseIdleSessions();
  expect(recording.created).toBe(2);
  expect(recording.released).toBe(2);
  expect(recording.atOnce).toBe(1);
});

test("a layer that is disposed of finishes what it was given", async () => {
  const { backend, recording } = await recordedBackend();
  const layer = backend.create({}, STATE);
  const calls = [layer.call(backend.upload(X), { training: true }), layer.backward(backend.upload(DY)), layer.state(), layer.dispose()];
  expect((await Promise.allSettled(calls)).map(({ status }) => status)).toEqual(calls.map(() => "fulfilled"));
  await expect(layer.call(backend.upload(X))).rejects.toMatchObject({ code: "disposed" });
  await backend.releaseIdleSessions();
  expect(recording.released).toBe(recording.created);
});

test("onnxruntime-web takes turns under the name cpu, too", async () => {
  const { recording } = await recordedBackend();
  const backend = await createBackend({ ort: recording.runtime, executionProviders: ["cpu"] });
  const x = backend.upload(X);
  const layers = Array.from({ length: 4 }, () => backend.create({}, STATE));
  await Promise.all(layers.flatMap((layer) => [layer.call(x), layer.call(x, { training: true }), layer.backward(x)]));
  expect(recording.atOnce).toBe(1);
});
