import { createBackend as createInference } from "@batchnorm/backend-cpu/inference";
import { createBackend as createPlain } from "@batchnorm/backend-cpu/plain-inference";
import { describe, expect, it } from "vitest";
import { createBackend } from "../src/index.ts";
import { expectErrorCode } from "./expect-error-code.ts";
import { example, SHAPES } from "./numbers.ts";

describe("the backends for inference alone", () => {
  const backends = [createInference(), createInference({ kernels: "wasm" }), createInference({ kernels: "plain" }), createPlain()];
  const wholes = [
    createBackend(),
    createBackend({ kernels: "wasm" }),
    createBackend({ kernels: "plain" }),
    createBackend({ kernels: "plain" }),
  ];

  for (const [shape, axis, what] of SHAPES) {
    it(`gives the same bits as the whole on ${what}: [${shape.join(", ")}], axis ${axis}`, () => {
      const { x, state } = example(shape, axis);
      backends.forEach((backend, k) => {
        const [y, expected] = [backend, wholes[k]].map((each) => each.create({ axis }, state).call({ data: x, shape }));
        expect(new Int32Array(y.data.buffer)).toEqual(new Int32Array(expected.data.buffer));
      });
    });
  }

  it.each(backends)("writes into out, which may be x, and refuses a NaN where it is told to: $name", (backend) => {
    const layer = backend.create({ nonFinite: "reject" }, 64);
    const x = { data: new Float32Array(64_000).fill(2), shape: [1000, 64] };
    expect(layer.call(x, { out: x })).toBe(x);
    expect(x.data[63_999]).toBeCloseTo(2 / Math.sqrt(1.001), 6);
    x.data[63_000] = Number.NaN;
    expectErrorCode(() => layer.call(x), "non-finite");
  });

  it.each(backends)("says in its manifest that it does not train, and refuses to: $name", (backend) => {
    expect(backend.supports).toMatchObject({ training: false, gradients: false, masks: false, out: true });
    const layer = backend.create({}, 2);
    const x = { data: new Float32Array(4), shape: [2, 2] };
    expectErrorCode(() => layer.call(x, { training: true }), "unsupported");
    expectErrorCode(() => layer.call(x, { gradient: true }), "unsupported");
    expectErrorCode(() => layer.backward(x), "unsupported");
  });

  it("refuses options that it does not have", () => {
    for (const options of [{ threads: 2 }, null, { kernels: "simd" }]) {
      expectErrorCode(() => createInference(options as never), "invalid-argument");
      expectErrorCode(() => createPlain(options as never), "invalid-argument");
    }
  });
});
