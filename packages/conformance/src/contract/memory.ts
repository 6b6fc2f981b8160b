import { OTHER_STATE } from "./ownership.ts";
import { PLAIN_STATE, PLAIN_X, type Rule } from "./rule.ts";

/** That a layer remembers its state, all of it, and nothing else. */
export const MEMORY: readonly Rule[] = [
  {
    id: "current-state",
    clause: "5.4",
    must: "Inference MUST use the parameters and statistics as they are: after setState, those that were set.",
    run: async (bench) => {
      const layer = bench.create();
      await layer.call(bench.tensor());
      await layer.setState({ statistics: OTHER_STATE.statistics });
      const half = bench.create({}, { ...PLAIN_STATE, statistics: OTHER_STATE.statistics });
      const expected = await bench.read(await half.call(bench.tensor()));
      bench.same(await bench.read(await layer.call(bench.tensor())), expected, "New statistics are not used");
      await layer.setState({ parameters: OTHER_STATE.parameters });
      const whole = await bench.read(await bench.create({}, OTHER_STATE).call(bench.tensor()));
      bench.same(await bench.read(await layer.call(bench.tensor())), whole, "New parameters are not used");
    },
  },
  {
    id: "current-statistics",
    clause: "5.4",
    needs: ["training"],
    must: "Inference MUST use the statistics that the last training step left.",
    run: async (bench) => {
      const layer = bench.create({ momentum: 0.5 });
      await layer.call(bench.tensor());
      await layer.call(bench.tensor(), { training: true });
      const expected = await bench.read(await bench.create({}, await layer.state()).call(bench.tensor()));
      bench.same(
        await bench.read(await layer.call(bench.tensor())),
        expected,
        "It gives another output than a new layer of the same state",
      );
    },
  },
  {
    id: "state-is-everything",
    clause: "7.5",
    needs: ["training"],
    must: "A layer that is made from another's state() MUST go on as the other does: no step count and no hidden digits lie beside the state.",
    run: async (bench) => {
      const config = { momentum: 0.9 };
      const layer = bench.create(config);
      for (const factor of [1, -3, 1 / 3]) await layer.call(bench.tensor(scaled(factor)), { training: true });
      const heir = bench.create(config, await layer.state());
      const [got, expected] = [layer, heir].map((each) => bench.begin(each.call(bench.tensor(scaled(0.7)), { training: true })));
      bench.same(await bench.read(await got), await bench.read(await expected), "The outputs differ");
      await bench.hasState(layer, await heir.state(), "after one more step of both");
    },
  },
  {
    id: "shapes-may-change",
    clause: "3.2",
    must: "A layer MUST take inputs of one shape after another, whatever their ranks.",
    run: async (bench) => {
      const { training, minElements, maxRank } = bench.backend.supports;
      const layer = bench.create({ momentum: 0.5 });
      for (const shape of [
        [3, 2],
        [5, 2],
        [2, 2, 2],
        [1, 2],
        [3, 2],
      ]) {
        if (maxRank !== null && shape.length > maxRank) continue;
        const x = Array.from({ length: shape.reduce((a, b) => a * b) }, (_, k) => PLAIN_X[k % 6] + k);
        const fresh = bench.create({ momentum: 0.5 }, await layer.state());
        for (const options of training && x.length / 2 >= minElements ? [{}, { training: true }] : [{}]) {
          const expected = await bench.read(await fresh.call(bench.tensor(x, shape), options));
          bench.same(
            await bench.read(await layer.call(bench.tensor(x, shape), options)),
            expected,
            `On [${shape}] a new layer gives another output`,
          );
        }
        await bench.hasState(layer, await fresh.state(), `after [${shape}]`);
      }
    },
  },
  {
    id: "statistics-that-are-not-finite",
    clause: "11.1",
    must: "NaN and infinity MUST be let through in the statistics, and MUST stay in their channel.",
    run: async (bench) => {
      const statistics = { movingMean: [Number.NaN, -1.25], movingVariance: [Number.POSITIVE_INFINITY, 0.5] };
      const [layer, clean, set] = [bench.create({}, { ...PLAIN_STATE, statistics }), bench.create(), bench.create()];
      await set.setState({ statistics });
      for (const each of [layer, set]) {
        await bench.hasState(each, { ...PLAIN_STATE, statistics }, "after it was given");
        const y = await bench.read(await each.call(bench.tensor()));
        bench.same(second(y), second(await bench.read(await clean.call(bench.tensor()))), "The finite channel's inference differs");
        bench.expect(
          y.every((value, k) => k % 2 === 1 || Number.isNaN(value)),
          "The NaN is not in its own channel's output.",
        );
      }
      if (!bench.backend.supports.training) return;
      // The batch's own statistics normalize: what the moving ones hold does not matter.
      const [got, expected] = [layer, clean].map((each) => bench.begin(each.call(bench.tensor(), { training: true })));
      bench.same(await bench.read(await got), await bench.read(await expected), "A training step is disturbed by them");
      const after = (await layer.state()).statistics;
      bench.expect(
        Number.isNaN(after.movingMean[0]) && after.movingVariance[0] === Number.POSITIVE_INFINITY,
        "A training step forgot them.",
      );
      bench.same(after.movingMean.slice(1), (await clean.state()).statistics.movingMean.slice(1), "The finite channel's mean differs");
    },
  },
];

function scaled(factor: number): number[] {
  return PLAIN_X.map((value) => value * factor);
}

/** The elements of channel 1 of `[rows, 2]`. */
function second(y: Float32Array): Float32Array {
  return y.filter((_, k) => k % 2 === 1);
}
