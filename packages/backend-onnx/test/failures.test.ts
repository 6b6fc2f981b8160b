import { expect, test } from "vitest";
import { STATE, X } from "./layers.ts";
import { recordedBackend } from "./recording-runtime.ts";

test("a failure of a run has the config, the runtime's message and its error, and leaves the state", async () => {
  const { backend, recording } = await recordedBackend();
  const layer = backend.create({ momentum: 0.5 }, STATE);
  const x = backend.upload(X);
  const before = await layer.state();
  const cause = new Error(`a message of the runtime that is longer than ${"eighty letters, ".repeat(6)}which is where sentences are cut`);
  recording.fail.run = cause;
  const failed = await layer.call(x, { training: true }).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: "runtime-failure", cause });
  expect((failed as Error).message).toContain(cause.message);
  expect((failed as Error).message).toContain(
    'onnx/wasm failed in training, on a layer of 2 channels with the config {"axis":-1,"momentum":0.5',
  );
  expect(await layer.state()).toEqual(before);

  recording.fail = {};
  const twin = backend.create({ momentum: 0.5 }, STATE);
  const [got, expected] = [await layer.call(x, { training: true }), await twin.call(x, { training: true })];
  expect(got.data).toEqual(expected.data);
  expect(await layer.state()).toEqual(await twin.state());
});

test("a session that could not be made is made by the next call", async () => {
  const { backend, recording } = await recordedBackend();
  const layer = backend.create({}, STATE);
  recording.fail.create = new Error("no memory");
  await expect(layer.call(backend.upload(X))).rejects.toMatchObject({ code: "runtime-failure", cause: recording.fail.create });
  recording.fail = {};
  await expect(layer.call(backend.upload(X))).resolves.toBeDefined();
  await layer.dispose();
});

test("a failed forward pass has no backward", async () => {
  const { backend, recording } = await recordedBackend();
  const layer = backend.create({}, STATE);
  await layer.call(backend.upload(X), { gradient: true });
  recording.fail.run = new Error("no memory");
  await expect(layer.call(backend.upload(X), { gradient: true })).rejects.toMatchObject({ code: "runtime-failure" });
  recording.fail = {};
  await expect(layer.backward(backend.upload(X))).rejects.toMatchObject({ code: "no-forward" });
});

test("an x that is disposed while it waits is a failure of that call alone", async () => {
  const { backend } = await recordedBackend();
  const layer = backend.create({}, STATE);
  const x = backend.upload(X);
  const calls = [layer.call(backend.upload(X)), layer.call(x), layer.call(backend.upload(X))];
  x.dispose();
  const [first, second, third] = await Promise.allSettled(calls);
  expect([first.status, second.status, third.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect((second as PromiseRejectedResult).reason).toMatchObject({ code: "runtime-failure" });
});

test("what is no tensor, or was disposed, is refused", async () => {
  const { backend } = await recordedBackend();
  const layer = backend.create({}, STATE);
  const disposed = backend.upload(X);
  backend.release(disposed);
  for (const wrong of [disposed, null, {}, X]) {
    await expect(layer.call(wrong as never)).rejects.toMatchObject({ code: "invalid-argument" });
  }
});
