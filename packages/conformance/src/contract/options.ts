import { DEFAULT_CONFIG } from "@batchnorm/spec";
import { PLAIN_STATE, PLAIN_X, type Rule } from "./rule.ts";

const DY = [1, 2, -3, 4, 5, 6];

/** What counts as an option, and when it is read. */
export const OPTIONS: readonly Rule[] = [
  {
    id: "undefined-is-left-out",
    clause: "2.5",
    must: "An option that is undefined MUST count as left out, and a mask or out that is null as none.",
    run: async (bench) => {
      const { training, gradients } = bench.backend.supports;
      const nothing = { training: undefined, mask: undefined, out: undefined, gradient: undefined };
      const config = Object.fromEntries(Object.keys(DEFAULT_CONFIG).map((name) => [name, undefined]));
      const [layer, twin] = [bench.create(config), bench.create()];
      const expected = await bench.read(await twin.call(bench.tensor()));
      for (const options of [nothing, { ...nothing, mask: null, out: null }, { mask: undefined }]) {
        bench.same(await bench.read(await layer.call(bench.tensor(), options)), expected, "Inference is another one");
      }
      await layer.setState({ parameters: { gamma: undefined, beta: PLAIN_STATE.parameters.beta }, statistics: undefined } as never);
      await bench.hasState(layer, PLAIN_STATE, "after fields that are undefined were set");
      if (!training) return;
      const [got, wanted] = [
        await layer.call(bench.tensor(), { ...nothing, training: true }),
        await twin.call(bench.tensor(), { training: true }),
      ];
      bench.same(await bench.read(got), await bench.read(wanted), "Training is another one");
      if (gradients) {
        const gradient = await bench.readGradients(layer.backward(bench.tensor(DY), { out: undefined }));
        bench.sameGradients(gradient, await bench.readGradients(twin.backward(bench.tensor(DY))), "The gradient is another one");
      }
      await bench.hasState(layer, await twin.state(), "after a training step");
    },
  },
  {
    id: "options-are-read-at-once",
    clause: "17.1",
    needs: ["training"],
    must: "A call MUST be judged by its options as they are when it is made: what the caller writes into them later comes too late.",
    run: async (bench) => {
      const [layer, twin] = [bench.create(), bench.create()];
      const options: { training: boolean; gradient: boolean } = { training: true, gradient: false };
      const running = bench.begin(layer.call(bench.tensor(), options));
      options.training = false;
      const expected = await bench.read(await twin.call(bench.tensor(), { training: true }));
      bench.same(await bench.read(await running), expected, "The output is another one");
      await bench.hasState(layer, await twin.state(), "after the step");
    },
  },
  {
    id: "state-is-read-at-once",
    clause: "1.4",
    must: "create and setState MUST take their copy at once: what the caller writes into the arrays later comes too late.",
    run: async (bench) => {
      const given = (): { parameters: Record<string, Float32Array>; statistics: Record<string, Float32Array> } => ({
        parameters: { gamma: Float32Array.from(PLAIN_STATE.parameters.gamma), beta: Float32Array.from(PLAIN_STATE.parameters.beta) },
        statistics: {
          movingMean: Float32Array.from(PLAIN_STATE.statistics.movingMean),
          movingVariance: Float32Array.from(PLAIN_STATE.statistics.movingVariance),
        },
      });
      const layer = bench.create(
        {},
        { parameters: { gamma: [9, 9], beta: [9, 9] }, statistics: { movingMean: [9, 9], movingVariance: [9, 9] } },
      );
      const update = given();
      const setting = bench.begin(layer.setState(update));
      for (const part of Object.values(update)) for (const array of Object.values(part)) array.fill(100);
      await setting;
      await bench.hasState(layer, PLAIN_STATE, "after the caller wrote to them");
    },
  },
  {
    id: "arrays-may-be-views",
    clause: "1.4",
    must: "A state MAY be given as views of larger arrays, or as plain arrays: the layer MUST take the numbers that are in view.",
    run: async (bench) => {
      const all = Float32Array.of(
        7,
        7,
        ...PLAIN_STATE.parameters.gamma,
        ...PLAIN_STATE.parameters.beta,
        7,
        ...PLAIN_STATE.statistics.movingMean,
        7,
        ...PLAIN_STATE.statistics.movingVariance,
        7,
      );
      const state = {
        parameters: { gamma: all.subarray(2, 4), beta: all.subarray(4, 6) },
        statistics: { movingMean: all.subarray(7, 9), movingVariance: all.subarray(10, 12) },
      };
      const [made, set] = [bench.create({}, state), bench.create({}, 2)];
      await set.setState(state);
      for (const layer of [made, set]) await bench.hasState(layer, PLAIN_STATE, "after it was given in views");
      const x = Float32Array.of(7, ...PLAIN_X, 7);
      const tensor = bench.backend.upload({ data: x.subarray(1, 7), shape: [3, 2] });
      bench.same(await bench.read(tensor), Float32Array.from(PLAIN_X), "A tensor of a view holds something else");
      const expected = await bench.read(await bench.create().call(bench.tensor()));
      bench.same(await bench.read(await made.call(tensor)), expected, "The output of such a tensor is another one");
    },
  },
  {
    id: "config-cannot-be-written",
    clause: "1.4",
    must: "A layer MUST own its configuration: writing to layer.config MUST NOT change it.",
    run: async (bench) => {
      const [layer, twin] = [bench.create(), bench.create()];
      try {
        Object.assign(layer.config, { epsilon: 100, momentum: 0, trainable: false });
      } catch {
        // A frozen object says so; a copy does not.
      }
      bench.expect(layer.config.epsilon === DEFAULT_CONFIG.epsilon, `config.epsilon is ${layer.config.epsilon}.`);
      bench.same(
        await bench.read(await layer.call(bench.tensor())),
        await bench.read(await twin.call(bench.tensor())),
        "The output follows",
      );
      if (!bench.backend.supports.training) return;
      for (const each of [layer, twin]) await each.call(bench.tensor(), { training: true });
      await bench.hasState(layer, await twin.state(), "after a training step");
    },
  },
  {
    id: "negative-zero-is-no-negative-variance",
    clause: "1.2",
    must: "A movingVariance of -0 is 0: it MUST be taken.",
    run: async (bench) => {
      const zero = (value: number): typeof PLAIN_STATE => ({
        ...PLAIN_STATE,
        statistics: { ...PLAIN_STATE.statistics, movingVariance: [value, 1] },
      });
      const [made, set, twin] = [bench.create({}, zero(-0)), bench.create(), bench.create({}, zero(0))];
      await set.setState({ statistics: zero(-0).statistics });
      const expected = await bench.read(await twin.call(bench.tensor()));
      for (const layer of [made, set])
        bench.same(await bench.read(await layer.call(bench.tensor())), expected, "The output is another one");
    },
  },
];
