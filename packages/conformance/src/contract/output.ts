import { isFloat32 } from "../checks/host-numbers.ts";
import { PLAIN_X, type Rule } from "./rule.ts";

const NINES = [9, 9, 9, 9, 9, 9];
const DY = [1, 2, -3, 4, 5, 6];

/** Where results are written, and results of nothing. */
export const OUTPUT: readonly Rule[] = [
  {
    id: "out-is-used",
    clause: "17.4",
    needs: ["out"],
    must: "With out, the result MUST be written there and be what it is without.",
    run: async (bench) => {
      const layer = bench.create();
      const out = bench.tensor(NINES);
      const expected = await bench.read(await layer.call(bench.tensor()));
      const result = await layer.call(bench.tensor(), { out });
      bench.same(await bench.read(out), expected, "out holds something else");
      bench.same(await bench.read(result), expected, "The result is something else");
    },
  },
  {
    id: "out-in-training",
    clause: "17.4",
    needs: ["out", "training", "gradients"],
    must: "out MUST NOT change what a training step gives, nor its gradient.",
    run: async (bench) => {
      const [layer, twin] = [bench.create(), bench.create()];
      const out = bench.tensor(NINES);
      const expected = await bench.read(await twin.call(bench.tensor(), { training: true }));
      await layer.call(bench.tensor(), { training: true, out });
      bench.same(await bench.read(out), expected, "out holds something else");
      const [got, wanted] = [layer, twin].map((each) => bench.begin(bench.readGradients(each.backward(bench.tensor(DY)))));
      bench.sameGradients(await got, await wanted, "The gradient is another one");
      await bench.hasState(layer, await twin.state(), "after the step");
    },
  },
  {
    id: "out-in-place",
    clause: "17.4",
    needs: ["out", "training"],
    must: "Where no gradient is wanted, out MAY be x itself.",
    run: async (bench) => {
      const [layer, twin] = [bench.create(), bench.create()];
      for (const training of [false, true]) {
        const x = bench.tensor();
        const expected = await bench.read(await twin.call(bench.tensor(), { training, gradient: false }));
        await layer.call(x, { training, gradient: false, out: x });
        bench.same(await bench.read(x), expected, `With training: ${training} the result in place is another one`);
      }
      await bench.hasState(layer, await twin.state(), "after a training step in place");
    },
  },
  {
    id: "backward-out",
    clause: "17.4",
    needs: ["out", "training", "gradients"],
    must: "backward MUST write dx to its out, which MAY be dy itself, and give what it gives without.",
    run: async (bench) => {
      const layer = bench.create();
      await layer.call(bench.tensor(), { training: true });
      const expected = await bench.readGradients(layer.backward(bench.tensor(DY)));
      const dy = bench.tensor(DY);
      for (const [what, out] of [
        ["out", bench.tensor(NINES)],
        ["dy as out", dy],
      ] as const) {
        const { dgamma, dbeta } = await bench.readGradients(layer.backward(dy, { out }));
        bench.sameGradients({ dx: await bench.read(out), dgamma, dbeta }, expected, `With ${what} it differs`);
      }
    },
  },
  {
    id: "empty-inference",
    clause: "5.5",
    must: "Inference on an empty batch MUST give an empty result of the same shape.",
    run: async (bench) => {
      const { masks } = bench.backend.supports;
      for (const mask of masks ? [null, bench.mask([], [0])] : [null]) {
        const { shape, data } = await bench.backend.download(await bench.create().call(bench.tensor([], [0, 2]), { mask }));
        bench.expect(data.length === 0 && shape.join() === "0,2", `It gave [${shape}].`);
      }
    },
  },
  {
    id: "empty-batch-when-frozen",
    clause: "5.5",
    needs: ["training"],
    must: "A training call of a frozen layer is inference: on an empty batch it MUST give an empty result, and not be refused.",
    run: async (bench) => {
      const { nonFinite } = bench.backend.supports;
      for (const each of nonFinite) {
        const layer = bench.create({ trainable: false, nonFinite: each });
        const { shape, data } = await bench.backend.download(await layer.call(bench.tensor([], [0, 2]), { training: true }));
        bench.expect(data.length === 0 && shape.join() === "0,2", `With nonFinite '${each}' it gave [${shape}].`);
      }
    },
  },
  {
    id: "empty-inside",
    clause: "5.5",
    must: "Inference on x without elements MUST give an empty result, whichever dimension is 0.",
    run: async (bench) => {
      const { maxRank, axes } = bench.backend.supports;
      for (const [shape, axis] of [
        [[32, 2, 0], 1],
        [[0, 2, 5], 1],
        [[3, 0, 2], -1],
        [[0, 2], -1],
      ] as const) {
        if ((maxRank !== null && shape.length > maxRank) || (axes === "last" && axis !== -1)) continue;
        const result = await bench.backend.download(await bench.create({ axis }).call(bench.tensor([], shape)));
        bench.expect(result.shape.join() === shape.join(), `Of [${shape}] it gave [${result.shape}].`);
      }
    },
  },
  {
    id: "float32-comes-out",
    clause: "13.1",
    must: "Of float32 x, y MUST be float32, and the state MUST be float32 always.",
    run: async (bench) => {
      const { supports } = bench.backend;
      const layer = bench.create();
      const results = [await layer.call(bench.tensor(), { gradient: supports.gradients })];
      if (supports.gradients) results.push(...Object.values(await layer.backward(bench.tensor(DY))));
      for (const result of results) bench.expect(isFloat32((await bench.backend.download(result)).data), "A result is not.");
      const { parameters, statistics } = await layer.state();
      for (const array of [...Object.values(parameters), ...Object.values(statistics)]) bench.expect(isFloat32(array), "The state is not.");
      const { data } = await bench.backend.download(bench.tensor(PLAIN_X));
      bench.expect(isFloat32(data), "A tensor of float32 data is not.");
    },
  },
];
