import { describe, it } from "vitest";
import { createBackend } from "../src/index.ts";
import { expectSameBits } from "./expect-agreement.ts";
import { example, generator, runExample } from "./numbers.ts";

// What a backend keeps between calls (scratch, constants, windows, the records of calls) is shared by its layers.

describe("one backend", () => {
  it("gives each of many layers what it would give it alone, one after another", () => {
    const shared = createBackend({ kernels: "wasm" });
    const random = generator(7);
    const channels = [1, 2, 3, 4, 8, 16, 32, 64, 128, 5, 64, 72, 24, 3, 2048, 32];
    for (let round = 0; round < 6; round++) {
      for (const count of channels) {
        const inner = [1, 1, 1, 3, 20, 49][Math.floor(random() * 6)];
        const shape = [Math.ceil(3000 / count / inner) + Math.floor(random() * 9), count, inner];
        const given = example(shape, 1, { masked: random() < 0.3, seed: round + count });
        const training = random() < 0.7;
        const alone = runExample(createBackend({ kernels: "wasm" }), given, training);
        expectSameBits(runExample(shared, given, training, random() < 0.5), alone);
      }
    }
  });

  it("gives a narrow layer what it would give it alone after one as wide as the narrow one's pattern", () => {
    const alone = createBackend({ kernels: "wasm" });
    for (const wide of [64, 66, 68, 72, 80, 84]) {
      const shared = createBackend({ kernels: "wasm" });
      runExample(shared, example([40, wide], 1, { offset: 5 }), true);
      for (let count = 1; count <= 40; count++) {
        const given = example([70, count], 1, { seed: count });
        expectSameBits(runExample(shared, given, true), runExample(alone, given, true));
      }
    }
  });

  it("gives the same to one layer whose batches change their shape, not their size", () => {
    const shared = createBackend({ kernels: "wasm" });
    const shapes = [
      [96, 24, 10],
      [960, 24, 1],
      [10, 24, 96],
      [1, 24, 960],
      [960, 24, 1],
      [96, 24, 10],
    ];
    const layer = shared.create({ axis: 1, momentum: 0 }, 24);
    const data = example([960, 24, 1], 1).x;
    for (const shape of [...shapes, ...shapes]) {
      const fresh = createBackend({ kernels: "wasm" }).create({ axis: 1, momentum: 0 }, 24);
      const steps = [layer, fresh].map((each) => {
        const y = each.call({ data, shape }, { training: true }).data;
        const { dx, dgamma, dbeta } = each.backward({ data, shape });
        return { y, dx: dx.data, dgamma: dgamma!.data, dbeta: dbeta!.data, ...each.state().statistics };
      });
      expectSameBits(steps[0], steps[1]);
    }
  });
});
