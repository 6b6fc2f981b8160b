import { DEFAULT_CONFIG } from "@batchnorm/spec";
import { manifestFaults } from "../checks/manifest.ts";
import { PLAIN_STATE, type Rule } from "./rule.ts";

/** What a backend and a layer say of themselves, and that they mean it. */
export const CONFIGURATION: readonly Rule[] = [
  {
    id: "manifest",
    clause: "18.2",
    must: "A backend MUST have a name and a complete manifest that names float32.",
    run: async (bench) => {
      bench.violations.push(...manifestFaults(bench.backend));
    },
  },
  {
    id: "version",
    clause: "18.1",
    must: "A backend MUST carry the literal specVersion: 1.",
    run: async (bench) => bench.expect(bench.backend.specVersion === 1, `It is ${bench.backend.specVersion}.`),
  },
  {
    id: "lacking-is-refused",
    clause: "18.2",
    must: "What the manifest lacks MUST be refused with unsupported, never done approximately.",
    run: async (bench) => {
      const { supports } = bench.backend;
      const layer = bench.create();
      const refuse = (lacks: boolean, what: string, action: () => unknown): Promise<unknown> | null =>
        lacks ? bench.refuses("unsupported", what, action) : null;
      await refuse(!supports.training, "Training", () => layer.call(bench.tensor(), { training: true }));
      await refuse(!supports.gradients, "A call for a gradient", () => layer.call(bench.tensor(), { gradient: true }));
      await refuse(!supports.gradients, "backward", () => layer.backward(bench.tensor()));
      await refuse(!supports.masks, "A mask", () => layer.call(bench.tensor(), { mask: bench.mask([1, 0, 1], [3]) }));
      await refuse(!supports.out, "An output buffer", () => layer.call(bench.tensor(), { out: bench.tensor() }));
      await refuse(!supports.varianceEstimators.includes("sample"), "'sample'", () => bench.create({ varianceEstimator: "sample" }));
      for (const nonFinite of ["propagate", "reject"] as const) {
        await refuse(!supports.nonFinite.includes(nonFinite), `'${nonFinite}'`, () => bench.create({ nonFinite }));
      }
      await refuse(supports.axes === "last", "An axis that is not the last", () =>
        bench.create({ axis: 0 }).call(bench.tensor([1, 2], [2, 1])),
      );
      if (supports.training && supports.minElements > 1) {
        const rows = supports.minElements - 1;
        const x = bench.tensor(new Array<number>(2 * rows).fill(1), [rows, 2]);
        await bench.refuses("unsupported", `Training on ${rows} elements`, () => layer.call(x, { training: true }));
      }
      if (supports.maxRank === null) return;
      const shape = new Array<number>(supports.maxRank).fill(1).concat(2);
      await bench.refuses("invalid-rank", `Rank ${shape.length}`, () => layer.call(bench.tensor([1, 2], shape)));
    },
  },
  {
    id: "defaults",
    clause: "2.1",
    must: "Without options a layer MUST have the defaults, and its config MUST tell every one of them.",
    run: async (bench) => {
      const { config, channels } = bench.create();
      for (const [name, value] of Object.entries(DEFAULT_CONFIG)) {
        const found = config[name as keyof typeof DEFAULT_CONFIG];
        bench.expect(found === value, `${name} is ${found}, expected ${value}.`);
      }
      bench.expect(channels === 2, `It has ${channels} channels, expected 2.`);
      const other = bench.create({ axis: 1, momentum: 0.5, epsilon: 0.25 }).config;
      bench.expect(
        other.axis === 1 && other.momentum === 0.5 && other.epsilon === 0.25,
        "config does not tell the options that were given.",
      );
    },
  },
  {
    id: "training-is-asked-for",
    clause: "4.1",
    must: "A call that does not ask for training MUST be inference.",
    run: async (bench) => {
      const layer = bench.create();
      const expected = await bench.read(await layer.call(bench.tensor(), { training: false }));
      bench.same(await bench.read(await layer.call(bench.tensor())), expected, "Without options the output is another one");
      bench.same(await bench.read(await layer.call(bench.tensor(), {})), expected, "With empty options the output is another one");
      await bench.hasState(layer, PLAIN_STATE, "after inference");
    },
  },
  {
    id: "frozen-from-the-start",
    clause: "4.1",
    needs: ["training"],
    must: "A layer that is made with trainable: false MUST be frozen.",
    run: async (bench) => {
      const [layer, twin] = [bench.create({ trainable: false }), bench.create()];
      bench.expect(layer.config.trainable === false, "config.trainable is not false.");
      const expected = await bench.read(await twin.call(bench.tensor()));
      bench.same(
        await bench.read(await layer.call(bench.tensor(), { training: true })),
        expected,
        "It does not normalize as inference does",
      );
      await bench.hasState(layer, PLAIN_STATE, "after a training call");
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
];
