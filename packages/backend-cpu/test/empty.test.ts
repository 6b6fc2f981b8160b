import { describe, expect, it } from "vitest";
import { createBackend } from "../src/index.ts";
import { expectErrorCode } from "./expect-error-code.ts";

describe("tensors without elements", () => {
  for (const options of [{}, { kernels: "plain" }, { kernels: "wasm" }, { kernels: "wasm", threads: 2 }] as const) {
    const backend = createBackend(options);
    for (const [shape, axis] of [
      [[0, 2], 1],
      [[0, 2, 3], 1],
      [[32, 2, 0], 1],
      [[0, 2, 0], 1],
      [[100, 0, 2], 2],
    ] as const) {
      it(`${backend.name}: normalizes [${shape.join(", ")}] to nothing, gives gradients of 0, and refuses to train`, () => {
        const layer = backend.create({ axis }, 2);
        const x = { data: new Float32Array(0), shape };
        expect(layer.call(x, { gradient: true })).toEqual({ data: new Float32Array(0), shape });
        const { dx, dgamma, dbeta } = layer.backward(x);
        expect(dx.data.length).toBe(0);
        expect([...dgamma!.data, ...dbeta!.data]).toEqual([0, 0, 0, 0]);
        expectErrorCode(() => layer.call(x, { training: true }), "empty-batch");
        const strict = backend.create({ axis, nonFinite: "reject" }, 2);
        expect(strict.call(x).data.length).toBe(0);
      });
    }
  }
});
