import { channelView } from "@batchnorm/spec";
import { describe, expect, it } from "vitest";
import { Normalizer } from "../src/kernels/normalizer.ts";
import { tileMemory } from "../src/simd/arenas.ts";
import { compileKernels } from "../src/simd/compile.ts";
import { LAYOUT } from "../src/simd/module.generated.ts";
import { SimdKernels } from "../src/simd/simd-kernels.ts";
import { type Example, example, SHAPES } from "./numbers.ts";

const module = compileKernels("plain") as WebAssembly.Module;

/** The kernels with tiles of so many elements. */
function kernelsWithTiles(tile: number): SimdKernels {
  const memory = tileMemory(module, tile);
  return new SimdKernels({ find: () => memory, allocate: () => null, release: () => {} });
}

/** Everything that is computed, as bits. */
function bitsWith(kernels: SimdKernels, { shape, axis, x, dy, mask, state }: Example): Int32Array[] {
  const view = channelView(shape, axis);
  const float64 = (): Float64Array => new Float64Array(view.channels);
  const normalizer = new Normalizer(view.channels, state.parameters.gamma, state.parameters.beta);
  const [variance, dgamma, dbeta] = [float64(), float64(), float64()];
  const [y, dx] = [new Float32Array(x.length), new Float32Array(x.length)];
  const n = kernels.moments(x, view, mask, normalizer.mean, variance);
  normalizer.setVariance(variance, 1e-3);
  kernels.normalize(x, y, view, normalizer);
  const saved = { x, normalizer, batch: { n, mask } };
  kernels.parameterGradients(dy, saved, view, dgamma, dbeta);
  kernels.inputGradient(dy, dx, saved, view, dgamma, dbeta);
  return [normalizer.mean, variance, dgamma, dbeta, y, dx].map((each) => new Int32Array(each.buffer));
}

describe("the size of a tile", () => {
  for (const [shape, axis, what] of SHAPES) {
    it(`does not show in any bit on ${what}: [${shape.join(", ")}], axis ${axis}`, () => {
      for (const masked of [false, true]) {
        const given = example(shape, axis, { masked });
        const expected = bitsWith(kernelsWithTiles(LAYOUT.TILE), given);
        expect(bitsWith(kernelsWithTiles(LAYOUT.SEGMENT), given)).toEqual(expected);
        expect(bitsWith(kernelsWithTiles(2 * LAYOUT.SEGMENT), given)).toEqual(expected);
      }
    });
  }
});
