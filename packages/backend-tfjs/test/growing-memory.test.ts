import { expect, it } from "vitest";
import { hostArithmetic } from "../src/kernels/host/arithmetic.ts";
import type { HostMemory } from "../src/kernels/host/memory.ts";
import type { TensorInfo } from "../src/tf.ts";

/** Memory in which every allocation detaches the views made before, as a WebAssembly heap does when it grows. */
function growingMemory(): HostMemory & { store(values: Float32Array | Uint8Array, shape: readonly number[]): TensorInfo } {
  let heap = new ArrayBuffer(0);
  const at = new Map<object, { offset: number; length: number; bool: boolean }>();
  const place = (shape: readonly number[], bool: boolean): TensorInfo => {
    const dataId = {};
    const length = shape.reduce((size, dimension) => size * dimension, 1);
    at.set(dataId, { offset: heap.byteLength, length, bool });
    heap = structuredClone(heap, { transfer: [heap] });
    const grown = new ArrayBuffer(heap.byteLength + Math.ceil((length * (bool ? 1 : 4)) / 4) * 4);
    new Uint8Array(grown).set(new Uint8Array(heap));
    heap = grown;
    return { dataId, shape: [...shape], dtype: bool ? "bool" : "float32" } as TensorInfo;
  };
  const elements: HostMemory["elements"] = ({ dataId }) => {
    const { offset, length, bool } = at.get(dataId)!;
    return bool ? new Uint8Array(heap, offset, length) : new Float32Array(heap, offset, length);
  };
  return {
    allocate: (shape) => place(shape, false),
    elements,
    store(values, shape) {
      const tensor = place(shape, values instanceof Uint8Array);
      elements(tensor).set(values);
      return tensor;
    },
  };
}

it("a heap that grows in the middle of an operation takes no view away that is still read", () => {
  const memory = growingMemory();
  const { train, normalize, gradients } = hostArithmetic(memory);
  const view = { outer: 3, channels: 2, inner: 1 };
  const floats = (...values: number[]): TensorInfo =>
    memory.store(Float32Array.from(values), values.length === 6 ? [3, 2] : [values.length]);
  const x = floats(1, -2, 3, 0.5, -4, 8);
  const mask = memory.store(Uint8Array.of(1, 0, 1), [3]);
  const parameters = { gamma: floats(1.5, -0.5), beta: floats(0.25, 2) };
  const moving = { movingMean: floats(0, 0), movingVariance: floats(1, 1) };
  const step = { view, epsilon: 1e-3, momentum: 0.5, varianceEstimator: "population", wantsStatistics: true } as const;
  const [trained, movingMean, , mean, variance, remainder, downscale, count] = train({ x, mask, ...parameters, ...moving }, step);
  expect([...memory.elements(mean)]).toEqual([-1.5, 3]);
  expect([...memory.elements(movingMean)]).toEqual([-0.75, 1.5]);
  const inputs = { ...parameters, mean, variance, remainder, downscale };
  const [y] = normalize({ x, ...inputs }, { view, epsilon: 1e-3 });
  expect(memory.elements(y)[0]).toBeCloseTo(0.25 + (1.5 * 2.5) / Math.sqrt(6.251), 5);
  expect(memory.elements(trained)).toEqual(memory.elements(y));
  const attributes = { view, epsilon: 1e-3, ofParameters: true, throughStatistics: true };
  const [dx, , dbeta] = gradients({ dy: floats(1, 2, -3, 4, 5, 6), x, mask, count, ...inputs }, attributes);
  expect([...memory.elements(dbeta)]).toEqual([3, 12]);
  // A hidden element takes no part in the statistics: gamma r dy alone.
  expect(memory.elements(dx)[2]).toBeCloseTo((1.5 * -3) / Math.sqrt(6.251), 5);
});
