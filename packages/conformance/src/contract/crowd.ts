import { PLAIN_X, type Rule } from "./rule.ts";

const LAYERS = 5000;
/** Those that are used. */
const USED = 37;

/** Many layers at once. */
export const CROWD: readonly Rule[] = [
  {
    id: "many-layers",
    clause: "1.4",
    slow: true,
    must: `${LAYERS} layers MAY live at once, each with its own state, and dispose MUST free one of them alone.`,
    run: async (bench) => {
      const state = (index: number) => ({
        parameters: { gamma: [1, 2], beta: [index, -index] },
        statistics: { movingMean: [0, 0], movingVariance: [1, 1] },
      });
      const layers = Array.from({ length: LAYERS }, (_, index) => bench.create({}, state(index)));
      const expected = await bench.read(await bench.create({}, state(0)).call(bench.tensor()));
      for (let index = 0; index < LAYERS; index += LAYERS / USED) {
        const at = Math.floor(index);
        if (at > 0) await layers[at - 1].dispose();
        const y = await bench.read(await layers[at].call(bench.tensor()));
        // gamma xHat is below 10 here: where beta is large the sum is rounded to its own last place.
        const right = PLAIN_X.every((_, k) => Math.abs(y[k] - (k % 2 === 0 ? at : -at) - expected[k]) < 2e-3);
        bench.expect(right, `Layer ${at} of ${LAYERS} gives [${y}].`);
        await bench.hasState(layers[at], state(at), `in layer ${at} of ${LAYERS}`);
      }
    },
  },
];
