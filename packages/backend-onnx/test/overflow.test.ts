import { expect, test } from "vitest";
import { createBackend } from "../src/index.ts";
import { STATE } from "./layers.ts";
import { recordingRuntime } from "./recording-runtime.ts";

/** Two channels: one of this size, one of ordinary numbers. */
const rows = (size: number): Float32Array => Float32Array.of(size, 1, -size, 2, size, 3, -size, 4);

test("a step whose squares overflow runs again in smaller units, and no other step does", async () => {
  const recording = recordingRuntime();
  const backend = await createBackend({ ort: recording.runtime });
  const layer = backend.create({ momentum: 0.99 }, STATE);
  const step = async (size: number): Promise<Float32Array> => {
    const y = await layer.call(backend.upload({ data: rows(size), shape: [4, 2] }), { training: true });
    return y.data as Float32Array;
  };
  const ordinary = await step(1);
  await step(2);
  const sessions = recording.created;
  const huge = await step(1e20);
  // gamma 1.5, beta 0.25, and an epsilon that is nothing beside 1e40; the other channel does not notice.
  huge.forEach((value, k) => {
    expect(value).toBe(k % 2 === 1 ? ordinary[k] : k % 4 === 0 ? 1.75 : -1.25);
  });
  expect(recording.created).toBe(sessions + 1);
  // A hundredth of 1e40, which float32 holds, and not 1e40.
  const { movingVariance } = (await layer.state()).statistics;
  expect(movingVariance[0] / 1e38).toBeCloseTo(1, 5);
  await step(1);
  expect(recording.created).toBe(sessions + 1);
});
