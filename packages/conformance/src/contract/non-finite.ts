import type { BatchNormConfig } from "@batchnorm/spec";
import { PLAIN_STATE, type Rule } from "./rule.ts";

const REJECT: Pick<BatchNormConfig, "nonFinite"> = { nonFinite: "reject" };

/** Clause 11.2: an x that is not finite is refused, in every mode, wherever it is not. */
export const REJECTIONS: readonly Rule[] = [
  rejection("non-finite", ["training", "reject"], { training: true }, [1, 2, 3, Number.NaN, 5, 6]),
  rejection("non-finite-inference", ["reject"], {}, [1, 2, 3, 4, Number.NEGATIVE_INFINITY, 6]),
  {
    id: "refuse-call/non-finite-hidden",
    clause: "11.2",
    needs: ["training", "masks", "reject"],
    must: "Every element counts, hidden ones too: the call MUST be refused with non-finite.",
    run: async (bench) => {
      const layer = bench.create(REJECT);
      const hidden = { training: true, mask: bench.mask([1, 0, 1], [3]) };
      await bench.refuses("non-finite", "The call", () => layer.call(bench.tensor([1, 2, Number.NaN, 4, 5, 6]), hidden));
      await bench.hasState(layer, PLAIN_STATE, "after the refusal");
    },
  },
  {
    id: "refuse-call/non-finite-frozen",
    clause: "11.2",
    needs: ["training", "reject"],
    must: "A frozen layer MUST refuse it as well.",
    run: async (bench) => {
      const layer = bench.create({ ...REJECT, trainable: false });
      await bench.refuses("non-finite", "The call", () => layer.call(bench.tensor([1, 2, 3, 4, 5, Number.NaN]), { training: true }));
    },
  },
  {
    id: "non-finite-names-its-channel",
    clause: "11.2",
    needs: ["reject"],
    must: "The error MUST name the channel.",
    run: async (bench) => {
      const sevens = Array.from({ length: 7 }, () => 1);
      const state = { parameters: { gamma: sevens, beta: sevens }, statistics: { movingMean: sevens, movingVariance: sevens } };
      const layer = bench.create({ ...REJECT, axis: 1 }, state);
      // Channel 5 of [2, 7, 3]: no other number of the sentence should be a 5.
      const x = Array.from({ length: 42 }, (_, k) => (k === (1 * 7 + 5) * 3 + 2 ? Number.POSITIVE_INFINITY : 1));
      const error = await bench.refuses("non-finite", "The call", () => layer.call(bench.tensor(x, [2, 7, 3])));
      const message = error instanceof Error ? error.message : String(error);
      bench.expect(/\b5\b/.test(message), `Of an infinity in channel 5 it says: "${message}".`);
    },
  },
  {
    id: "refuse-call/non-finite-anywhere",
    clause: "11.2",
    needs: ["reject"],
    must: "Every element counts, wherever it is and whatever is not finite about it; x, the state and out MUST stay as they were.",
    run: async (bench) => {
      const { training, out, maxRank } = bench.backend.supports;
      const shapes = [
        [3, 2],
        [2, 2, 5],
        [257, 2],
        [20_011, 2],
      ].filter(({ length }) => maxRank === null || length <= maxRank);
      for (const shape of shapes) {
        const size = shape.reduce((product, dimension) => product * dimension, 1);
        const layer = bench.create({ ...REJECT, axis: 1 });
        const places = size <= 20 ? Array.from({ length: size }, (_, k) => k) : [0, 63, 256, size >> 1, size - 2, size - 1];
        for (const [index, place] of places.entries()) {
          const value = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY][index % 3];
          const data = Float32Array.from({ length: size }, (_, k) => (k === place ? value : (k % 7) - 3));
          const x = bench.backend.upload({ data, shape });
          const buffer = out ? bench.backend.upload({ data: new Float32Array(size).fill(9), shape }) : null;
          const options = { ...(training && index % 2 === 0 && { training: true }), ...(buffer !== null && { out: buffer }) };
          await bench.refuses("non-finite", `${value} at ${place} of [${shape}]`, () => layer.call(x, options));
          bench.same(await bench.read(x), data, `x of [${shape}] was written to`);
          if (buffer !== null)
            bench.expect(
              (await bench.read(buffer)).every((each) => each === 9),
              `out of [${shape}] was written to.`,
            );
        }
        await bench.hasState(layer, PLAIN_STATE, `after refusals on [${shape}]`);
      }
    },
  },
  {
    id: "huge-is-finite",
    clause: "11.2",
    needs: ["training", "reject"],
    must: "nonFinite 'reject' MUST refuse nothing that is finite: not numbers whose sum is infinite.",
    run: async (bench) => {
      const x = Array.from({ length: 24 }, (_, k) => (k % 2 === 0 ? 3e38 : -3e38));
      const [layer, twin] = [bench.create({ ...REJECT, momentum: 1 }), bench.create({ momentum: 1 })];
      for (const options of [{}, { training: true }]) {
        const expected = await bench.read(await twin.call(bench.tensor(x, [12, 2]), options));
        bench.same(await bench.read(await layer.call(bench.tensor(x, [12, 2]), options)), expected, "It gives another output");
      }
    },
  },
  {
    id: "refuse-call/one-channel-of-two",
    clause: "3.5",
    needs: ["reject"],
    must: "An x with another number of channels MUST be refused with channel-mismatch, whatever is in it.",
    run: async (bench) => {
      const layer = bench.create(REJECT);
      for (const value of [1, Number.NaN]) {
        const x = bench.tensor([1, 2, 3, 4, 5, value], [6, 1]);
        await bench.refuses("channel-mismatch", `One channel, with ${value} in it`, () => layer.call(x));
      }
      await bench.hasState(layer, PLAIN_STATE, "after the refusals");
    },
  },
  {
    id: "rejection-keeps-the-pass",
    clause: "14.1",
    needs: ["training", "gradients", "reject"],
    must: "A refused call changes nothing: backward MUST still differentiate the call before a non-finite one.",
    run: async (bench) => {
      const [layer, twin] = [bench.create(REJECT), bench.create(REJECT)];
      const dy = [1, 2, -3, 4, 5, 6];
      for (const each of [layer, twin]) await each.call(bench.tensor(), { training: true });
      await bench.refuses("non-finite", "A NaN", () => layer.call(bench.tensor([1, 2, 3, 4, 5, Number.NaN]), { training: true }));
      const expected = await bench.readGradients(twin.backward(bench.tensor(dy)));
      bench.sameGradients(await bench.readGradients(layer.backward(bench.tensor(dy))), expected, "The gradient is another one");
      await bench.hasState(layer, await twin.state(), "after the refusal");
    },
  },
  {
    id: "rejection-builds-nothing",
    clause: "1.3",
    needs: ["reject"],
    must: "A call that is refused over its data MUST leave a layer without a state as it was.",
    run: async (bench) => {
      const layer = bench.unbuilt(REJECT);
      await bench.refuses("non-finite", "A NaN", () => layer.call(bench.tensor([1, 2, 3, 4, 5, Number.NaN])));
      bench.expect(layer.channels === 0, `It has ${layer.channels} channels after the refusal, expected 0.`);
    },
  },
  {
    id: "finite-is-accepted",
    clause: "11.2",
    needs: ["reject"],
    must: "nonFinite 'reject' MUST refuse nothing that is finite.",
    run: async (bench) => {
      const largest = (2 - 2 ** -23) * 2 ** 127;
      const x = [largest, -largest, 0, -0, 2 ** -149, 1];
      const expected = await bench.read(await bench.create().call(bench.tensor(x)));
      bench.same(await bench.read(await bench.create(REJECT).call(bench.tensor(x))), expected, "It gives another output");
    },
  },
];

function rejection(id: string, needs: NonNullable<Rule["needs"]>, options: { training?: boolean }, x: readonly number[]): Rule {
  return {
    id: `refuse-call/${id}`,
    clause: "11.2",
    needs,
    must: "The call MUST be refused with non-finite, and the state MUST be what it was, bit for bit.",
    run: async (bench) => {
      const layer = bench.create(REJECT);
      await bench.refuses("non-finite", "The call", () => layer.call(bench.tensor(x), options));
      await bench.hasState(layer, PLAIN_STATE, "after the refusal");
    },
  };
}
