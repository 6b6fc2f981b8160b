import { channelView } from "@batchnorm/spec";
import { describe, expect, it } from "vitest";
import type { Engine } from "../src/kernels/engine.ts";
import { gradients } from "../src/kernels/gradients.ts";
import { moments } from "../src/kernels/moments.ts";
import { normalize } from "../src/kernels/normalize.ts";
import { Normalizer } from "../src/kernels/normalizer.ts";
import { SEGMENT, TILE } from "../src/memory/layout.generated.ts";
import { engineWithTiles } from "./engines.ts";
import { type Example, example, SHAPES } from "./numbers.ts";

/** Everything that is computed, as bits. */
function bitsWith(engine: Engine, { shape, axis, x, dy, mask, state }: Example): Int32Array[] {
  const view = channelView(shape, axis);
  const float64 = (): Float64Array => new Float64Array(view.channels);
  const normalizer = new Normalizer(view.channels);
  const [variance, dgamma, dbeta] = [float64(), float64(), float64()];
  const [y, dx] = [new Float32Array(x.length), new Float32Array(x.length)];
  const n = moments(engine, x, view, mask, normalizer.mean, variance);
  normalizer.set(normalizer.mean, variance, 1e-3, state.parameters.gamma, state.parameters.beta);
  normalize(engine, x, y, view, normalizer);
  gradients(engine, dy, x, dx, view, normalizer, { n, mask }, dgamma, dbeta);
  return [normalizer.mean, variance, dgamma, dbeta, y, dx].map((each) => new Int32Array(each.buffer));
}

describe("the size of a tile and of a stage", () => {
  for (const [shape, axis, what] of SHAPES) {
    it(`does not show in any bit on ${what}: [${shape.join(", ")}], axis ${axis}`, () => {
      for (const masked of [false, true]) {
        const given = example(shape, axis, { masked });
        const expected = bitsWith(engineWithTiles(), given);
        expect(bitsWith(engineWithTiles(SEGMENT, 0), given)).toEqual(expected);
        expect(bitsWith(engineWithTiles(SEGMENT, 1000), given)).toEqual(expected);
        expect(bitsWith(engineWithTiles(TILE, 2 ** 20), given)).toEqual(expected);
      }
    });
  }
});
