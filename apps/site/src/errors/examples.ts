import { readFileSync } from "node:fs";
import { createBackend } from "@batchnorm/backend-cpu";
import { createBackend as createInferenceBackend } from "@batchnorm/backend-cpu/inference";
import { find, readModel } from "@batchnorm/onnx-model";
import { defineBackend, type ErrorCode } from "@batchnorm/spec";
import { fromJSON, fromPyTorch, toJSON } from "@batchnorm/spec/convert";
import { readWeights } from "@batchnorm/weights";
import { ROOT } from "../place.ts";

/** A program that is refused with the code, and one that is not. Their text is shown as it stands here, so it has to say everything. */
export interface ErrorExample {
  readonly wrong: () => unknown;
  readonly right: () => unknown;
}

const backend = createBackend();
const inferenceOnly = createInferenceBackend();
const x = { data: Float32Array.of(1, 10, 2, 20, 3, 60), shape: [3, 2] };
const dy = { data: Float32Array.of(1, 0, 0, 0, 0, 1), shape: [3, 2] };
const initial = {
  parameters: { gamma: Float32Array.of(1, 1), beta: Float32Array.of(0, 0) },
  statistics: { movingMean: Float32Array.of(0, 0), movingVariance: Float32Array.of(1, 1) },
};
const read = (path: string): Uint8Array => new Uint8Array(readFileSync(`${ROOT}/packages/${path}`));
const file = read("weights/test/files/keras/functional.keras");
const onnx = read("onnx-model/test/models/handmade/external-data.onnx");
const data = read("onnx-model/test/models/handmade/external-data.onnx.data");
const config = backend.create({}, 2).config;

export const ERROR_EXAMPLES: Readonly<Record<ErrorCode, ErrorExample>> = {
  "invalid-argument": {
    wrong: () => backend.create({ eps: 1e-5 } as object, 2),
    right: () => backend.create({ epsilon: 1e-5 }, 2),
  },
  "invalid-axis": {
    wrong: () => backend.create({ axis: 3 }, 2).call(x),
    right: () => backend.create({ axis: -1 }, 2).call(x),
  },
  "invalid-epsilon": {
    wrong: () => backend.create({ epsilon: 0 }, 2),
    right: () => backend.create({ epsilon: 1e-3 }, 2),
  },
  "invalid-momentum": {
    wrong: () => backend.create({ momentum: 99 }, 2),
    right: () => backend.create({ momentum: 0.99 }, 2),
  },
  "invalid-shape": {
    wrong: () => backend.upload({ data: x.data, shape: [-1, 2] }),
    right: () => backend.upload({ data: x.data, shape: [3, 2] }),
  },
  "invalid-rank": {
    wrong: () => backend.create({}, 2).call({ data: Float32Array.of(1, 10), shape: [2] }),
    right: () => backend.create({}, 2).call({ data: Float32Array.of(1, 10), shape: [1, 2] }),
  },
  "invalid-state": {
    wrong: () => backend.create({}, { gamma: [1, 1], beta: [0, 0], mean: [0, 0], variance: [1, 1] } as never),
    right: () =>
      backend.create(
        {},
        {
          parameters: { gamma: [1, 1], beta: [0, 0] },
          statistics: { movingMean: [0, 0], movingVariance: [1, 1] },
        },
      ),
  },
  "wrong-length": {
    wrong: () => backend.create({}, { ...initial, parameters: { gamma: [1], beta: [0, 0] } }),
    right: () => backend.create({}, { ...initial, parameters: { gamma: [1, 1], beta: [0, 0] } }),
  },
  "missing-parameter": {
    wrong: () => backend.create({}, { ...initial, parameters: { beta: [0, 0] } }),
    right: () => backend.create({ scale: false }, { ...initial, parameters: { beta: [0, 0] } }),
  },
  "unexpected-parameter": {
    wrong: () => backend.create({ scale: false }, { ...initial, parameters: { gamma: [1, 1], beta: [0, 0] } }),
    right: () => backend.create({ scale: false }, { ...initial, parameters: { gamma: null, beta: [0, 0] } }),
  },
  "negative-variance": {
    wrong: () => backend.create({}, { ...initial, statistics: { movingMean: [4, 9], movingVariance: [-1, 2] } }),
    right: () => backend.create({}, { ...initial, statistics: { movingMean: [-1, 2], movingVariance: [4, 9] } }),
  },
  "channel-mismatch": {
    wrong: () => backend.create({ axis: -1 }, 3).call(x),
    right: () => backend.create({ axis: -1 }, 2).call(x),
  },
  "data-length": {
    wrong: () => backend.create({}, 2).call({ data: x.data, shape: [4, 2] }),
    right: () => backend.create({}, 2).call({ data: x.data, shape: [3, 2] }),
  },
  "unknown-dtype": {
    wrong: () => backend.create({}, 2).call({ data: Uint8Array.of(12, 255), shape: [1, 2] } as never),
    right: () => backend.create({}, 2).call({ data: Float32Array.of(12, 255), shape: [1, 2] }),
  },
  "invalid-mask": {
    wrong: () => backend.create({}, 2).call(x, { training: true, mask: { data: new Uint8Array(6), shape: [3, 2] } }),
    right: () => backend.create({}, 2).call(x, { training: true, mask: { data: Uint8Array.of(1, 1, 0), shape: [3] } }),
  },
  "invalid-out": {
    wrong: () => backend.create({}, 2).call(x, { training: true, out: x }),
    right: () => backend.create({}, 2).call(x, { training: true, out: backend.alloc([3, 2]) }),
  },
  "invalid-gradient": {
    wrong: () => {
      const layer = backend.create({}, 2);
      layer.call(x, { training: true });
      layer.backward({ data: Float32Array.of(1, 1), shape: [2] });
    },
    right: () => {
      const layer = backend.create({}, 2);
      layer.call(x, { training: true });
      layer.backward({ data: Float32Array.of(1, 0, 0, 0, 0, 1), shape: [3, 2] });
    },
  },
  "empty-batch": {
    wrong: () => backend.create({}, 2).call({ data: new Float32Array(), shape: [0, 2] }, { training: true }),
    right: () => backend.create({}, 2).call({ data: new Float32Array(), shape: [0, 2] }),
  },
  "non-finite": {
    wrong: () => backend.create({ nonFinite: "reject" }, 2).call({ data: Float32Array.of(1, Number.NaN), shape: [1, 2] }),
    right: () => backend.create({ nonFinite: "propagate" }, 2).call({ data: Float32Array.of(1, Number.NaN), shape: [1, 2] }),
  },
  "not-built": {
    wrong: () => backend.create().state(),
    right: () => backend.create({}, 2).state(),
  },
  "no-forward": {
    wrong: () => {
      const layer = backend.create({}, 2);
      layer.call(x);
      layer.backward(dy);
    },
    right: () => {
      const layer = backend.create({}, 2);
      layer.call(x, { gradient: true });
      layer.backward(dy);
    },
  },
  disposed: {
    wrong: () => {
      const layer = backend.create({}, 2);
      layer.dispose();
      layer.call(x);
    },
    right: () => {
      const layer = backend.create({}, 2);
      layer.call(x);
      layer.dispose();
    },
  },
  unsupported: {
    wrong: () => inferenceOnly.create({}, 2).call(x, { training: true }),
    right: () => inferenceOnly.create({}, 2).call(x),
  },
  "invalid-json": {
    wrong: () => fromJSON({ gamma: [1, 1], beta: [0, 0] }),
    right: () => fromJSON(toJSON(config, initial)),
  },
  "wrong-version": {
    wrong: () => fromJSON({ ...toJSON(config, initial), specVersion: 2 }),
    right: () => fromJSON({ ...toJSON(config, initial), specVersion: 1 }),
  },
  "invalid-file": {
    wrong: () => find(readModel(onnx)),
    right: () => find(readModel({ bytes: onnx, external: { "external-data.onnx.data": data } })),
  },
  "unsupported-format": {
    // The first bytes of a pickle.
    wrong: () => readWeights(Uint8Array.of(0x80, 2, 0x7d, 0x71, 0)),
    right: () => readWeights(file),
  },
  "cannot-convert": {
    wrong: () =>
      fromPyTorch({ num_features: 2, momentum: null }, { weight: [1, 1], bias: [0, 0], running_mean: [0, 0], running_var: [1, 1] }),
    right: () =>
      fromPyTorch({ num_features: 2, momentum: 0.1 }, { weight: [1, 1], bias: [0, 0], running_mean: [0, 0], running_var: [1, 1] }),
  },
  "runtime-failure": {
    wrong: async () => {
      const infer = () => {
        throw new Error("device lost");
      };
      await defineBackend({ name: "mine", infer }).create({}, 2).call(x);
    },
    right: async () => {
      const infer = () => ({ y: x });
      await defineBackend({ name: "mine", infer }).create({}, 2).call(x);
    },
  },
};
