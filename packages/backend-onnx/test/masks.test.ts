import { expect, test } from "vitest";
import { createBackend } from "../src/index.ts";
import { STATE, X, X_FIRST } from "./layers.ts";
import { ort } from "./ort-web.ts";

test.each([
  { axis: -1, x: X },
  { axis: 1, x: X_FIRST },
])("every byte but 0 shows its element: an alpha channel of 0 and 255, axis $axis", async ({ axis, x }) => {
  for (const runtime of [ort, await import("onnxruntime-node")]) {
    const backend = await createBackend({ ort: runtime });
    const step = async (bytes: number[]): Promise<unknown> => {
      const shape = axis === 1 ? [1, 3] : [3];
      const layer = backend.create({ axis, varianceEstimator: "sample" }, STATE);
      // A tensor of the user's own: not every mask comes from `upload`.
      const mask = new runtime.Tensor("bool", Uint8Array.from(bytes), shape);
      const y = await layer.call(backend.upload(x), { training: true, mask });
      const { dx, dgamma, dbeta } = await layer.backward(backend.upload({ ...x, data: Float32Array.of(1, 2, -3, 4, 5, -6) }));
      return [y.data, dx.data, dgamma?.data, dbeta?.data, await layer.state()];
    };
    expect(await step([255, 0, 128])).toEqual(await step([1, 0, 1]));
  }
});

test("a mask that its owner writes to after the call is still the one of the pass", async () => {
  const backend = await createBackend({ ort });
  const gradients = async (write: boolean): Promise<unknown> => {
    const layer = backend.create({}, STATE);
    const mask = backend.upload({ data: Uint8Array.of(1, 0, 1), shape: [3] });
    await layer.call(backend.upload(X), { training: true, mask });
    if (write) (mask.data as Uint8Array).fill(1);
    return (await layer.backward(backend.upload(X))).dx.data;
  };
  expect(await gradients(true)).toEqual(await gradients(false));
});
