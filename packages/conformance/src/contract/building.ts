import { PLAIN_STATE, PLAIN_X, type Rule } from "./rule.ts";

const INITIAL = {
  parameters: { gamma: [1, 1], beta: [0, 0] },
  statistics: { movingMean: [0, 0], movingVariance: [1, 1] },
};

/** Layers that are made of a number of channels, or of nothing. */
export const BUILDING: readonly Rule[] = [
  {
    id: "made-of-channels",
    clause: "1.3",
    must: "A layer that is made of a number of channels MUST have the initial state, with a parameter where its option is on.",
    run: async (bench) => {
      const layer = bench.create({}, 2);
      bench.expect(layer.channels === 2, `It has ${layer.channels} channels, expected 2.`);
      await bench.hasState(layer, INITIAL, "at the beginning");
      const bare = bench.create({ scale: false, center: false }, 2);
      await bench.hasState(bare, { parameters: {}, statistics: INITIAL.statistics }, "with scale and center off");
    },
  },
  {
    id: "made-of-nothing",
    clause: "1.3",
    must: "A layer that is made without a state MUST take the initial one at its first call, with as many channels as x has.",
    run: async (bench) => {
      const { training, masks } = bench.backend.supports;
      const masked = masks
        ? [
            [1, 0, 1],
            [0, 0, 0],
          ].map((mask) => ({ training, mask: bench.mask(mask, [3]) }))
        : [];
      const trained = training ? [{ training }, { training, gradient: false }, ...masked] : [];
      for (const options of [{}, ...trained]) {
        const [layer, twin] = [bench.unbuilt(), bench.create({}, 2)];
        bench.expect(layer.channels === 0, `It has ${layer.channels} channels before the first call, expected 0.`);
        const [got, expected] = [await layer.call(bench.tensor(), options), await twin.call(bench.tensor(), options)];
        bench.same(await bench.read(got), await bench.read(expected), "The first output is another one");
        bench.expect(layer.channels === 2, `It has ${layer.channels} channels after the first call, expected 2.`);
        await bench.hasState(layer, await twin.state(), "after the first call");
        await bench.refuses("channel-mismatch", "Another number of channels", () => layer.call(bench.tensor(PLAIN_X, [2, 3])));
      }
    },
  },
  {
    id: "not-built",
    clause: "1.3",
    must: "Until its first call a layer without a state has none: state MUST be refused with not-built, and a refused call builds nothing.",
    run: async (bench) => {
      const layer = bench.unbuilt({ axis: 1 });
      await bench.refuses("not-built", "state", () => layer.state());
      await bench.refuses("invalid-rank", "A vector", () => layer.call(bench.tensor([1, 2], [2])));
      await bench.refuses("invalid-argument", "An unknown option", () => layer.call(bench.tensor(), { trainig: true } as never));
      bench.expect(layer.channels === 0, `It has ${layer.channels} channels after refused calls, expected 0.`);
      await bench.refuses("not-built", "state after refused calls", () => layer.state());
      await layer.call(bench.tensor(PLAIN_X, [2, 3]));
      bench.expect(layer.channels === 3, `It has ${layer.channels} channels after a call of three, expected 3.`);
    },
  },
  {
    id: "frozen-before-it-is-built",
    clause: "4.3",
    needs: ["training"],
    must: "A layer MAY be frozen before it has a state.",
    run: async (bench) => {
      const [layer, twin] = [bench.unbuilt(), bench.create({}, 2)];
      for (const each of [layer, twin]) each.freeze();
      const [got, expected] = [await layer.call(bench.tensor(), { training: true }), await twin.call(bench.tensor(), { training: true })];
      bench.same(await bench.read(got), await bench.read(expected), "The output is another one");
      await bench.hasState(layer, INITIAL, "after a frozen call");
    },
  },
  {
    id: "set-before-it-is-built",
    clause: "1.3",
    must: "setState MAY give a layer its first state, all of it.",
    run: async (bench) => {
      const layer = bench.unbuilt();
      await layer.setState(PLAIN_STATE);
      bench.expect(layer.channels === 2, `It has ${layer.channels} channels, expected 2.`);
      await bench.hasState(layer, PLAIN_STATE, "after it was set");
      const expected = await bench.read(await bench.create().call(bench.tensor()));
      bench.same(await bench.read(await layer.call(bench.tensor())), expected, "The output is another one");
    },
  },
  {
    id: "trainable-is-a-property",
    clause: "4.3",
    must: "To set the layer's trainable MUST be to freeze or unfreeze it, and reading it MUST tell what it is.",
    run: async (bench) => {
      const { training } = bench.backend.supports;
      const [layer, twin] = [bench.create(), bench.create()];
      const seen = [layer.trainable];
      layer.trainable = false;
      seen.push(layer.trainable, layer.config.trainable);
      if (training) {
        await layer.call(bench.tensor(), { training: true });
        await bench.hasState(layer, PLAIN_STATE, "after a training call with trainable = false");
      }
      layer.trainable = true;
      seen.push(layer.trainable, layer.config.trainable);
      layer.freeze();
      seen.push(layer.trainable);
      layer.unfreeze();
      seen.push(layer.trainable);
      bench.expect(seen.join() === "true,false,false,true,true,false,true", `It told ${seen.join(", ")}.`);
      if (!training) return;
      for (const each of [layer, twin]) await each.call(bench.tensor(), { training: true });
      await bench.hasState(layer, await twin.state(), "after a training call with trainable = true");
    },
  },
];
