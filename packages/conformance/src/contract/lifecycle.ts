import { sameBits } from "../checks/execute.ts";
import { PLAIN_STATE, PLAIN_X, type Rule } from "./rule.ts";

/** What belongs to whom, what happens in which order, and what is left alone. */
export const LIFECYCLE: readonly Rule[] = [
  {
    id: "manifest",
    clause: "18.2",
    must: "A backend MUST have a name, a specVersion and a manifest that names float32.",
    run: async (bench) => {
      const { backend } = bench;
      const { supports } = backend;
      const report = bench.expect.bind(bench);
      report(typeof backend.name === "string" && backend.name.length > 0, "It has no name.");
      report(backend.specVersion === 1, `Its specVersion is ${backend.specVersion}, expected 1.`);
      report(supports.dtypes.includes("float32"), "float32 is not among its dtypes.");
      report(supports.varianceEstimators.includes("population"), "'population' is not among its variance estimators.");
      report(["float32", "float64"].includes(supports.accumulation), "accumulation is neither float32 nor float64.");
      report(["preserved", "flushed"].includes(supports.subnormals), "subnormals is neither preserved nor flushed.");
      report(supports.maxRank === null || supports.maxRank >= 2, "maxRank is below 2.");
    },
  },
  {
    id: "state-is-copied-in",
    clause: "1.4",
    must: "A layer MUST own its state: arrays that the caller passed and writes to later MUST NOT change it.",
    run: async (bench) => {
      const gamma = Float32Array.of(1.5, -0.5);
      const movingMean = Float32Array.of(0.75, -1.25);
      const { parameters, statistics } = PLAIN_STATE;
      const layer = bench.create({}, { parameters: { ...parameters, gamma }, statistics: { ...statistics, movingMean } });
      gamma.fill(100);
      movingMean.fill(100);
      const state = await layer.state();
      bench.expect(sameBits(state.parameters.gamma, Float32Array.of(1.5, -0.5)), "gamma followed the caller's array.");
      bench.expect(sameBits(state.statistics.movingMean, Float32Array.of(0.75, -1.25)), "movingMean followed the caller's array.");
    },
  },
  {
    id: "state-is-copied-out",
    clause: "1.4",
    must: "state() MUST give a copy: writing to it MUST NOT change the layer.",
    run: async (bench) => {
      const layer = bench.create();
      const first = await layer.state();
      for (const array of [first.parameters.gamma, first.statistics.movingVariance]) array?.fill(100);
      const second = await layer.state();
      bench.expect(sameBits(second.parameters.gamma, Float32Array.from(PLAIN_STATE.parameters.gamma)), "gamma was changed through the copy.");
      bench.expect(
        sameBits(second.statistics.movingVariance, Float32Array.from(PLAIN_STATE.statistics.movingVariance)),
        "movingVariance was changed through the copy.",
      );
    },
  },
  {
    id: "set-state-part",
    clause: "1.4",
    must: "setState MUST replace the fields that it is given and no other.",
    run: async (bench) => {
      const layer = bench.create();
      await layer.setState({ parameters: { beta: [7, 8] }, statistics: { movingVariance: [0, 9] } });
      const { parameters, statistics } = await layer.state();
      bench.expect(sameBits(parameters.gamma, Float32Array.from(PLAIN_STATE.parameters.gamma)), "gamma was changed.");
      bench.expect(sameBits(parameters.beta, Float32Array.of(7, 8)), "beta was not set.");
      bench.expect(sameBits(statistics.movingMean, Float32Array.from(PLAIN_STATE.statistics.movingMean)), "movingMean was changed.");
      bench.expect(sameBits(statistics.movingVariance, Float32Array.of(0, 9)), "movingVariance was not set.");
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
      const { statistics } = await other.state();
      bench.expect(sameBits(statistics.movingMean, Float32Array.from(PLAIN_STATE.statistics.movingMean)), "Training one changed the other.");
    },
  },
  {
    id: "config-tells-frozen",
    clause: "4.3",
    must: "config.trainable MUST follow freeze and unfreeze.",
    run: async (bench) => {
      const layer = bench.create();
      const seen = [layer.config.trainable];
      layer.freeze();
      seen.push(layer.config.trainable);
      layer.unfreeze();
      seen.push(layer.config.trainable);
      bench.expect(seen.join() === "true,false,true", `It was ${seen.join(", ")}, expected true, false, true.`);
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
      bench.expect(sameBits(await bench.read(x), Float32Array.from(PLAIN_X)), "x was.");
      bench.expect(sameBits(await bench.read(dy), Float32Array.of(1, 2, 3, 4, 5, 6)), "dy was.");
      bench.expect([...(await bench.read(mask))].join() === "1,0,1", "The mask was.");
    },
  },
  {
    id: "out-is-used",
    clause: "17.4",
    needs: ["out"],
    must: "With out, the result MUST be written there and be what it is without.",
    run: async (bench) => {
      const layer = bench.create();
      const out = bench.tensor([9, 9, 9, 9, 9, 9]);
      const expected = await bench.read(await layer.call(bench.tensor()));
      await layer.call(bench.tensor(), { out });
      bench.expect(sameBits(await bench.read(out), expected), "It was not.");
    },
  },
  {
    id: "out-in-place",
    clause: "17.4",
    needs: ["out", "training"],
    must: "Where no gradient is wanted, out MAY be x itself.",
    run: async (bench) => {
      const [layer, twin] = [bench.create(), bench.create()];
      const x = bench.tensor();
      const expected = await bench.read(await twin.call(bench.tensor(), { training: true, gradient: false }));
      await layer.call(x, { training: true, gradient: false, out: x });
      bench.expect(sameBits(await bench.read(x), expected), "The result in place is another one.");
    },
  },
  {
    id: "backward-twice",
    clause: "10.7",
    needs: ["training", "gradients"],
    must: "backward MAY be called again for the same pass, and MUST give the same.",
    run: async (bench) => {
      const layer = bench.create();
      await layer.call(bench.tensor(), { training: true });
      const dy = bench.tensor([1, 2, -3, 4, 5, 6]);
      const first = await bench.read((await layer.backward(dy)).dx);
      const second = await bench.read((await layer.backward(dy)).dx);
      bench.expect(sameBits(first, second), "The second gradient differs.");
    },
  },
  {
    id: "backward-outlives-freeze",
    clause: "4.3",
    needs: ["training", "gradients"],
    must: "freeze MUST take effect at the next call: the backward of a call before it is a training backward.",
    run: async (bench) => {
      const layer = bench.create();
      await layer.call(bench.tensor(), { training: true });
      layer.freeze();
      const { dgamma } = await layer.backward(bench.tensor());
      bench.expect(dgamma !== null, "dgamma is null.");
    },
  },
  {
    id: "overlapping-calls",
    clause: "17.1",
    needs: ["training"],
    must: "Calls that overlap on one layer MUST act in the order in which they were made.",
    run: async (bench) => {
      const [together, inTurn] = [bench.create({ momentum: 0.5 }), bench.create({ momentum: 0.5 })];
      const batches = [1, 10, 100].map((factor) => PLAIN_X.map((value) => value * factor));
      for (const batch of batches) await inTurn.call(bench.tensor(batch), { training: true });
      await Promise.all(batches.map((batch) => together.call(bench.tensor(batch), { training: true })));
      const [got, expected] = [await together.state(), await inTurn.state()];
      bench.expect(sameBits(got.statistics.movingMean, expected.statistics.movingMean), "movingMean differs from that of calls in turn.");
      bench.expect(sameBits(got.statistics.movingVariance, expected.statistics.movingVariance), "movingVariance differs.");
    },
  },
  {
    id: "works-after-refusal",
    clause: "6.3",
    needs: ["training"],
    must: "A refused call MUST leave a layer that works as before.",
    run: async (bench) => {
      const [layer, twin] = [bench.create(), bench.create()];
      await bench.refuses("empty-batch", "An empty batch", () => layer.call(bench.tensor([], [0, 2]), { training: true }));
      const got = await bench.read(await layer.call(bench.tensor(), { training: true }));
      const expected = await bench.read(await twin.call(bench.tensor(), { training: true }));
      bench.expect(sameBits(got, expected), "The next result differs.");
    },
  },
  {
    id: "empty-inference",
    clause: "5.5",
    must: "Inference on an empty batch MUST give an empty result of the same shape.",
    run: async (bench) => {
      const { shape, data } = await bench.backend.download(await bench.create().call(bench.tensor([], [0, 2])));
      bench.expect(data.length === 0 && shape.join() === "0,2", `It gave [${shape}].`);
    },
  },
  {
    id: "disposed",
    clause: "17.2",
    needs: ["gradients"],
    must: "Every use of a disposed layer MUST be refused with disposed, and a second dispose MUST do nothing.",
    run: async (bench) => {
      const layer = bench.create();
      await layer.call(bench.tensor(), { gradient: true });
      await layer.dispose();
      await layer.dispose();
      await bench.refuses("disposed", "call", () => layer.call(bench.tensor()));
      await bench.refuses("disposed", "backward", () => layer.backward(bench.tensor()));
      await bench.refuses("disposed", "state", () => layer.state());
      await bench.refuses("disposed", "setState", () => layer.setState({}));
      await bench.refuses("disposed", "freeze", () => layer.freeze());
      await bench.refuses("disposed", "unfreeze", () => layer.unfreeze());
    },
  },
  {
    id: "dispose-during-a-call",
    clause: "17.2",
    needs: ["training"],
    must: "A call that was made before dispose MUST end as if dispose came after it.",
    run: async (bench) => {
      const [layer, twin] = [bench.create(), bench.create()];
      const running = layer.call(bench.tensor(), { training: true });
      const disposing = layer.dispose();
      const got = await bench.read(await running);
      await disposing;
      const expected = await bench.read(await twin.call(bench.tensor(), { training: true }));
      bench.expect(sameBits(got, expected), "Its result differs.");
    },
  },
];
