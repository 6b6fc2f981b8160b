import type { BatchNormConfig, StateInput } from "@batchnorm/spec";
import { PLAIN_STATE, type Rule } from "./rule.ts";
import { WRONG_CALLS } from "./wrong-calls.ts";
import { WRONG_LAYERS } from "./wrong-layers.ts";

/** Every refusal of the contract that a backend can be asked for, as rules. */
export const REFUSALS: readonly Rule[] = [
  ...WRONG_LAYERS.map(
    ({ id, clause, code, config = {}, state = PLAIN_STATE }): Rule => ({
      id: `refuse-layer/${id}`,
      clause,
      must: `create MUST refuse this with ${code}.`,
      run: async (bench) => {
        await bench.refuses(code, "The layer", () => bench.create(config as Partial<BatchNormConfig>, state as StateInput));
      },
    }),
  ),
  ...WRONG_CALLS.map(
    ({ id, clause, code, needs = [], config = {}, state = PLAIN_STATE, call }): Rule => ({
      id: `refuse-call/${id}`,
      clause,
      needs,
      must: `The call MUST be refused with ${code}, and the state MUST be what it was, bit for bit.`,
      run: async (bench) => {
        const layer = bench.create(config, state);
        await bench.refuses(code, "The call", () => call(bench, layer));
        await bench.hasState(layer, state, "after the refusal");
      },
    }),
  ),
  {
    id: "refuse-call/data-length",
    clause: "3.5",
    must: "Data that does not fill its shape MUST be refused with data-length, by upload or by the call.",
    run: async (bench) => {
      const layer = bench.create();
      // Most runtimes cannot even hold such a tensor.
      const tensor = await Promise.resolve()
        .then(() => bench.tensor([1, 2, 3, 4, 5], [3, 2]))
        .catch(() => null);
      if (tensor !== null) await bench.refuses("data-length", "The call", () => layer.call(tensor, {}));
      await bench.hasState(layer, PLAIN_STATE, "after the refusal");
    },
  },
  {
    id: "one-sentence",
    clause: "14.2",
    must: "The message MUST say in one sentence what was wrong, what was received and what was expected.",
    run: async (bench) => {
      const long = { toString: () => "long", list: new Array(1e4).fill("x".repeat(100)) };
      for (const [code, config] of [
        ["invalid-axis", { axis: "x".repeat(1e5) }],
        ["invalid-momentum", { momentum: long }],
        ["invalid-argument", { ["x".repeat(1e5)]: 1 }],
      ] as const) {
        const error = await bench.refuses(code, "Something long", () => bench.create(config as never));
        const { length } = error instanceof Error ? error.message : String(error);
        bench.expect(length <= 1000, `Of something long it says a sentence of ${length} characters, expected 1000 at most.`);
      }
      for (const [code, name, value] of [
        ["invalid-momentum", "momentum", 1.01],
        ["invalid-epsilon", "epsilon", -0.25],
        ["invalid-axis", "axis", 0.5],
      ] as const) {
        const error = await bench.refuses(code, `${name} ${value}`, () => bench.create({ [name]: value }));
        const message = error instanceof Error ? error.message : String(error);
        bench.expect(message.includes(name) && message.includes(String(value)), `Of ${name} ${value} it says: "${message}".`);
      }
    },
  },
];
