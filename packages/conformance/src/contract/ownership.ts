import { PLAIN_STATE, PLAIN_X, type Rule } from "./rule.ts";

const { parameters, statistics } = PLAIN_STATE;

/** What belongs to whom: state, configuration, inputs and results. */
export const OWNERSHIP: readonly Rule[] = [
  {
    id: "state-is-copied-in",
    clause: "1.4",
    must: "A layer MUST own its state: arrays that the caller passed and writes to later MUST NOT change it.",
    run: async (bench) => {
      const given = float32State();
      const layer = bench.create({}, given);
      scribble(given);
      await bench.hasState(layer, PLAIN_STATE, "after the caller's arrays were written to");
    },
  },
  {
    id: "set-state-is-copied",
    clause: "1.4",
    must: "A layer MUST own its state: arrays that were given to setState and are written to later MUST NOT change it, until they are given again.",
    run: async (bench) => {
      const layer = bench.create({}, OTHER_STATE);
      const given = float32State();
      await layer.setState(given);
      scribble(given);
      await bench.hasState(layer, PLAIN_STATE, "after the caller's arrays were written to");
      await layer.setState(given);
      await bench.hasState(layer, given, "after the same arrays were given again");
    },
  },
  {
    id: "state-is-copied-out",
    clause: "1.4",
    must: "state() MUST give a copy: writing to it MUST NOT change the layer.",
    run: async (bench) => {
      const layer = bench.create();
      scribble(await layer.state());
      await bench.hasState(layer, PLAIN_STATE, "after its copy was written to");
    },
  },
  {
    id: "set-state-part",
    clause: "1.4",
    must: "setState MUST replace the fields that it is given and no other.",
    run: async (bench) => {
      const layer = bench.create();
      await layer.setState({ parameters: { beta: [7, 8] }, statistics: { movingVariance: [0, 9] } });
      const once = { parameters: { ...parameters, beta: [7, 8] }, statistics: { ...statistics, movingVariance: [0, 9] } };
      await bench.hasState(layer, once, "after beta and movingVariance were set");
      await layer.setState({ parameters: { gamma: [5, 6] } });
      await layer.setState({ statistics: { movingMean: [3, 4] } });
      const twice = { parameters: { gamma: [5, 6], beta: [7, 8] }, statistics: { movingMean: [3, 4], movingVariance: [0, 9] } };
      await bench.hasState(layer, twice, "after gamma and then movingMean were set");
    },
  },
  {
    id: "state-goes-back-in",
    clause: "1.4",
    must: "What state() gives, setState MUST take, null for an absent parameter included, and nothing changes.",
    run: async (bench) => {
      for (const [config, present] of [
        [{}, parameters],
        [{ scale: false }, { beta: parameters.beta }],
        [{ center: false }, { gamma: parameters.gamma }],
      ] as const) {
        const layer = bench.create(config, { parameters: present, statistics });
        await layer.setState(await layer.state());
        await bench.hasState(layer, { parameters: present, statistics }, `with ${JSON.stringify(config)}`);
      }
    },
  },
  {
    id: "config-is-copied",
    clause: "1.4",
    must: "A layer MUST own its configuration: writing to the object that it was made of MUST NOT change it.",
    run: async (bench) => {
      const given: { momentum: number; epsilon: number } = { momentum: 0.5, epsilon: 0.25 };
      const [layer, twin] = [bench.create(given), bench.create({ momentum: 0.5, epsilon: 0.25 })];
      const expected = await bench.read(await twin.call(bench.tensor()));
      given.momentum = 0;
      given.epsilon = 100;
      bench.same(await bench.read(await layer.call(bench.tensor())), expected, "The output follows the caller's object");
      bench.expect(layer.config.momentum === 0.5, `Its momentum is ${layer.config.momentum}, expected 0.5.`);
      if (!bench.backend.supports.training) return;
      await layer.call(bench.tensor(), { training: true });
      await twin.call(bench.tensor(), { training: true });
      await bench.hasState(layer, await twin.state(), "after a training step");
    },
  },
  {
    id: "layers-are-separate",
    clause: "1.4",
    needs: ["training"],
    must: "Two layers of one backend MUST NOT share state.",
    run: async (bench) => {
      const [one, other] = [bench.create(), bench.create()];
      await one.call(bench.tensor(), { training: true });
      await one.setState({ parameters: { gamma: [9, 9] } });
      await bench.hasState(other, PLAIN_STATE, "after the other was trained and set");
    },
  },
  {
    id: "x-is-not-written",
    clause: "17.3",
    needs: ["training", "gradients", "masks"],
    must: "x, the mask and dy MUST NOT be written to.",
    run: async (bench) => {
      const layer = bench.create();
      const [x, dy, mask] = [bench.tensor(), bench.tensor([1, 2, 3, 4, 5, 6]), bench.mask([1, 0, 1], [3])];
      await layer.call(x, { training: true, mask });
      await layer.backward(dy);
      bench.same(await bench.read(x), Float32Array.from(PLAIN_X), "x was");
      bench.same(await bench.read(dy), Float32Array.of(1, 2, 3, 4, 5, 6), "dy was");
      bench.expect([...(await bench.read(mask))].join() === "1,0,1", "The mask was.");
    },
  },
  {
    id: "tensors-are-copies",
    clause: "17.3",
    must: "upload MUST copy the host's data, and download MUST give a copy.",
    run: async (bench) => {
      const data = Float32Array.from(PLAIN_X);
      const tensor = bench.backend.upload({ data, shape: [3, 2] });
      data.fill(100);
      (await bench.read(tensor)).fill(200);
      bench.same(await bench.read(tensor), Float32Array.from(PLAIN_X), "The tensor followed the host's array");
    },
  },
  {
    id: "results-stay",
    clause: "17.4",
    must: "Without out, a result MUST be a tensor of the caller's own: later calls, of this layer or another, MUST NOT write to it.",
    run: async (bench) => {
      const { training, gradients } = bench.backend.supports;
      const [layer, other] = [bench.create(), bench.create()];
      const results: { tensor: unknown; data: Float32Array }[] = [];
      const keep = async (tensor: unknown): Promise<void> => {
        results.push({ tensor, data: await bench.read(tensor) });
      };
      await keep(await layer.call(bench.tensor(), { gradient: gradients }));
      if (training) await keep(await layer.call(bench.tensor(), { training: true }));
      if (gradients) for (const gradient of Object.values(await layer.backward(bench.tensor([1, 2, 3, 4, 5, 6])))) await keep(gradient);
      const reversed = bench.tensor(PLAIN_X.toReversed());
      for (const each of [layer, other]) {
        for (const options of [{}, { training, gradient: gradients }]) await each.call(reversed, options);
        if (gradients) await each.backward(reversed);
      }
      for (const [index, { tensor, data }] of results.entries())
        bench.same(await bench.read(tensor), data, `Result ${index} was overwritten`);
    },
  },
];

/** A second state, no number of which is in the first. */
export const OTHER_STATE: typeof PLAIN_STATE = {
  parameters: { gamma: [-2, 3], beta: [0.5, -0.75] },
  statistics: { movingMean: [-3, 5], movingVariance: [0.25, 9] },
};

type Float32State = Record<"parameters", Record<"gamma" | "beta", Float32Array>> &
  Record<"statistics", Record<"movingMean" | "movingVariance", Float32Array>>;

function float32State(): Float32State {
  return {
    parameters: { gamma: Float32Array.from(parameters.gamma), beta: Float32Array.from(parameters.beta) },
    statistics: { movingMean: Float32Array.from(statistics.movingMean), movingVariance: Float32Array.from(statistics.movingVariance) },
  };
}

function scribble(state: Record<"parameters" | "statistics", object>): void {
  for (const part of [state.parameters, state.statistics]) for (const array of Object.values(part) as Float32Array[]) array.fill(100);
}
