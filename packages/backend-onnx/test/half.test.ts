import { fromFloat16, toFloat16 } from "@batchnorm/spec/half";
import type { Tensor } from "onnxruntime-common";
import * as node from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { createBackend, type OnnxBackend } from "../src/index.ts";
import { ort } from "./ort-web.ts";

const backends: Readonly<Record<string, OnnxBackend>> = {
  "onnx/wasm": await createBackend({ ort }),
  "onnx/cpu": await createBackend({ ort: node }),
};

/** The bits of a tensor, whichever array the runtime has for them. */
function bitsOf({ data }: Tensor): Uint16Array {
  const { buffer, byteOffset, length } = data as Uint16Array;
  return new Uint16Array(buffer, byteOffset, length);
}

const shape = [6, 2, 5];
const x = Uint16Array.from({ length: 60 }, (_, k) => toFloat16(Math.sin(k * k) * 3 + 1));
const dy = Uint16Array.from({ length: 60 }, (_, k) => toFloat16(Math.cos(k)));
const half = (data: Uint16Array) => ({ data, shape, dtype: "float16" as const });
const wide = (data: Uint16Array) => ({ data: Float32Array.from(data, fromFloat16), shape });

for (const [name, backend] of Object.entries(backends)) {
  describe(`float16 on ${name}`, () => {
    test("is among the dtypes, and bfloat16 is refused", () => {
      expect(backend.name).toBe(name);
      expect(backend.supports.dtypes).toEqual(["float32", "float16"]);
      const bits = { data: Uint16Array.of(1), shape: [1, 1], dtype: "bfloat16" as const };
      expect(() => backend.upload(bits)).toThrow(expect.objectContaining({ code: "unknown-dtype" }));
    });

    for (const axis of [1, -1]) {
      test(`is computed in float32 and rounded once, axis ${axis}`, async () => {
        const run = async (tensor: typeof half | typeof wide) => {
          const layer = backend.create({ axis, momentum: 0 });
          const input = backend.upload(tensor(x));
          const trained = await layer.call(input, { training: true });
          const { dx, dgamma, dbeta } = await layer.backward(backend.upload(tensor(dy)));
          const { statistics } = await layer.state();
          const inferred = await layer.call(input);
          const frozen = await layer.call(input, { gradient: true }).then(() => layer.backward(backend.upload(tensor(dy))));
          await layer.dispose();
          return { halves: [trained, dx, inferred, frozen.dx], rest: [dgamma?.data, dbeta?.data, statistics] };
        };
        const [got, expected] = [await run(half), await run(wide)];
        for (const [k, tensor] of got.halves.entries()) {
          expect(tensor).toMatchObject({ type: "float16", dims: shape });
          expect(bitsOf(tensor)).toEqual(Uint16Array.from(expected.halves[k].data as Float32Array, toFloat16));
        }
        expect(got.rest).toEqual(expected.rest);
      });
    }

    test("keeps subnormal numbers and infinities, and rounds ties to even", async () => {
      // y = x * 1.5: odd numbers are ties.
      const data = Uint16Array.of(0, 1, 3, 5, 0x3ff, 0x400, 0x3c01, 0x3c03, 0x7bff, 0x7c00, 0x8001, 0xfc00);
      const layer = backend.create(
        { axis: 1, epsilon: 0.5 },
        { parameters: { gamma: [1.5], beta: [0] }, statistics: { movingMean: [0], movingVariance: [0.5] } },
      );
      const y = await layer.call(backend.upload({ data, shape: [12, 1], dtype: "float16" }));
      expect(bitsOf(y)).toEqual(data.map((bits) => toFloat16(fromFloat16(bits) * 1.5)));
    });

    test("goes in and out as it is", async () => {
      const tensor = backend.upload(half(x));
      const { data, dtype } = await backend.download(tensor);
      expect(dtype).toBe("float16");
      expect(new Uint16Array(data.buffer, data.byteOffset, data.length)).toEqual(x);
      expect(data.buffer).not.toBe(x.buffer);
    });

    test("without elements is float16, too", async () => {
      const layer = backend.create();
      const y = await layer.call(backend.upload({ data: new Uint16Array(0), shape: [0, 2], dtype: "float16" }));
      expect(y).toMatchObject({ type: "float16", dims: [0, 2] });
    });

    test("that is not finite is refused where that is asked for", async () => {
      const layer = backend.create({ nonFinite: "reject" });
      const data = Uint16Array.of(0, 0x7c00);
      const call = layer.call(backend.upload({ data, shape: [1, 2], dtype: "float16" }));
      await expect(call).rejects.toMatchObject({ code: "non-finite" });
    });
  });
}
