import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { createBackend } from "../src/index.ts";
import { expectSameBits } from "./expect-agreement.ts";
import { expectErrorCode } from "./expect-error-code.ts";
import { type Example, example, type Outputs, runExample } from "./numbers.ts";

const backend = createBackend({ kernels: "wasm" });

type Place = (length: number) => Float32Array;

const PLACES: Readonly<Record<string, Place>> = {
  plain: (length) => new Float32Array(length),
  "kernel memory": (length) => backend.alloc([length, 1]).data,
  "another arena": (length) => elsewhere.alloc([length, 1]).data,
  "an odd offset": (length) => new Float32Array(new ArrayBuffer(4 * length + 68), 4 * 7, length),
  "a SharedArrayBuffer": (length) => new Float32Array(new SharedArrayBuffer(4 * length + 8), 8, length),
  // What a test in Jest's own environments, an iframe or node:vm hands over.
  "another realm": (length) => runInNewContext(`new Float32Array(${length})`) as Float32Array,
};

const elsewhere = createBackend();

/** A step with each tensor in a place of its own. */
function runPlaced({ shape, axis, config, state, x, dy, mask }: Example, places: readonly Place[]): Outputs {
  const [input, upstream, out, dx] = places.map((place) => ({ data: place(x.length), shape }));
  input.data.set(x);
  upstream.data.set(dy);
  const layer = backend.create(config, state);
  const maskData = mask && new Uint8Array(new ArrayBuffer(mask.length + 3), 3);
  maskData?.set(mask!);
  const maskTensor = maskData && { data: maskData, shape: shape.filter((_, index) => index !== axis) };
  layer.call(input, { training: true, out, mask: maskTensor });
  const { dgamma, dbeta } = layer.backward(upstream, { out: dx });
  const y = out.data.slice();
  return { y, dx: dx.data.slice(), dgamma: dgamma!.data, dbeta: dbeta!.data, ...layer.state().statistics };
}

const SHAPES: readonly (readonly [readonly number[], number])[] = [
  [[301, 65], 1],
  [[7, 5000], 1],
  [[5, 65, 61], 1],
  [[3, 2, 9001], 1],
];

describe("where tensors lie", () => {
  for (const [shape, axis] of SHAPES) {
    for (const masked of [false, true]) {
      it(`does not show in any bit, each in a place of its own: [${shape.join(", ")}]${masked ? ", masked" : ""}`, () => {
        const given = example(shape, axis, { masked });
        const expected = runExample(backend, given, true);
        const places = Object.values(PLACES);
        for (let k = 0; k < places.length; k++) {
          // x, dy, out and dx: all in one place; then each in the next.
          expectSameBits(
            runPlaced(
              given,
              [0, 0, 0, 0].map(() => places[k]),
            ),
            expected,
          );
          const mixed = [0, 1, 2, 3].map((step) => places[(k + step) % places.length]);
          expectSameBits(runPlaced(given, mixed), expected);
          // Some in kernel memory, some not.
          const some = [1, 2, 4, 8].map((bit) => (((k + 1) * 3) & bit ? PLACES["kernel memory"] : PLACES.plain));
          expectSameBits(runPlaced(given, some), expected);
        }
      });
    }
  }
});

describe("arrays that change behind a layer", () => {
  const given = example([40, 64], 1);
  const layerOf = () => backend.create(given.config, given.state);

  it("x whose buffer was transferred is refused by backward, and the layer goes on", () => {
    const layer = layerOf();
    const x = { data: given.x.slice(), shape: given.shape };
    const dy = { data: given.dy, shape: given.shape };
    layer.call(x, { training: true });
    const moved = structuredClone(x.data, { transfer: [x.data.buffer] });
    expectErrorCode(() => layer.backward(dy), "data-length");
    layer.call({ data: moved, shape: given.shape }, { training: true });
    expect(layer.backward(dy).dx.data.length).toBe(given.x.length);
  });

  it("a shape that is used again for another batch does not reach the pass that was kept", () => {
    const layer = layerOf();
    const shape = [...given.shape];
    const tensors = ["x", "dy", "next"].map((name) => [name, backend.alloc(shape)] as const);
    const [x, dy, next] = tensors.map(([, { data }]) => ({ data, shape }));
    x.data.set(given.x);
    dy.data.set(given.dy);
    next.data.fill(7);
    layer.call(x, { training: true, out: backend.alloc(shape) });
    shape[0] = 16;
    expectErrorCode(() => layer.backward(dy), "invalid-gradient");
    expect(next.data.every((value) => value === 7)).toBe(true);
    const { dbeta } = layer.backward({ data: dy.data, shape: given.shape });
    expect(dbeta!.data).toEqual(runExample(backend, given, true).dbeta);
  });
});
