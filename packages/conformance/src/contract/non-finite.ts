import type { NonFinite } from "@batchnorm/spec";
import { PLAIN_STATE, type Rule } from "./rule.ts";

const REJECT: { readonly nonFinite: NonFinite } = { nonFinite: "reject" };

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
