import { PLAIN_X, type Rule } from "./rule.ts";

const DY = [1, 2, -3, 4, 5, 6];
const OTHER_DY = [0.5, -1, 2, 2, 0, 1];

/** Which pass a gradient belongs to, and who owns it. The numbers are the vectors' business. */
export const GRADIENT: readonly Rule[] = [
  {
    id: "backward-twice",
    clause: "10.7",
    needs: ["training", "gradients"],
    must: "backward MAY be called again for the same pass, and MUST give the same.",
    run: async (bench) => {
      const layer = bench.create();
      await layer.call(bench.tensor(), { training: true });
      const first = await bench.readGradients(layer.backward(bench.tensor(DY)));
      bench.sameGradients(await bench.readGradients(layer.backward(bench.tensor(DY))), first, "The second gradient differs");
    },
  },
  {
    id: "backward-of-another-dy",
    clause: "10.7",
    needs: ["training", "gradients"],
    must: "backward MAY be called again with another dy, and MUST give that one's gradient.",
    run: async (bench) => {
      const [layer, twin] = [bench.create(), bench.create()];
      for (const each of [layer, twin]) await each.call(bench.tensor(), { training: true });
      await layer.backward(bench.tensor(DY));
      const expected = await bench.readGradients(twin.backward(bench.tensor(OTHER_DY)));
      bench.sameGradients(await bench.readGradients(layer.backward(bench.tensor(OTHER_DY))), expected, "It is not");
    },
  },
  {
    id: "backward-of-two-layers",
    clause: "10.7",
    needs: ["training", "gradients"],
    must: "backward MUST differentiate the last call of its own layer, whatever other layers did since.",
    run: async (bench) => {
      const [layer, twin, other] = [bench.create(), bench.create(), bench.create()];
      await twin.call(bench.tensor(), { training: true });
      const expected = await bench.readGradients(twin.backward(bench.tensor(DY)));
      await layer.call(bench.tensor(), { training: true });
      await other.call(bench.tensor(PLAIN_X.map((value) => 1 - 2 * value)), { training: true });
      await other.backward(bench.tensor(OTHER_DY));
      bench.sameGradients(await bench.readGradients(layer.backward(bench.tensor(DY))), expected, "Another layer disturbs it");
    },
  },
  {
    id: "backward-after-refusal",
    clause: "14.1",
    needs: ["training", "gradients"],
    must: "A refused call changes nothing: backward MUST still differentiate the call before it.",
    run: async (bench) => {
      const layer = bench.create();
      await layer.call(bench.tensor(), { training: true });
      const expected = await bench.readGradients(layer.backward(bench.tensor(DY)));
      await bench.refuses("channel-mismatch", "Three channels", () => layer.call(bench.tensor(PLAIN_X, [2, 3]), { training: true }));
      await bench.refuses("wrong-length", "A gamma of one", () => layer.setState({ parameters: { gamma: [1] } }));
      await bench.refuses("invalid-gradient", "A dy of another shape", () => layer.backward(bench.tensor(DY, [2, 3])));
      bench.sameGradients(await bench.readGradients(layer.backward(bench.tensor(DY))), expected, "It does not");
    },
  },
  {
    id: "backward-after-release",
    clause: "10.7",
    needs: ["training", "gradients"],
    must: "The output is the caller's: backward MUST NOT need it.",
    run: async (bench) => {
      const [layer, twin] = [bench.create(), bench.create()];
      await twin.call(bench.tensor(), { training: true });
      const expected = await bench.readGradients(twin.backward(bench.tensor(DY)));
      bench.backend.release(await layer.call(bench.tensor(), { training: true }));
      for (const gradient of Object.values(await layer.backward(bench.tensor(DY)))) bench.backend.release(gradient);
      bench.sameGradients(await bench.readGradients(layer.backward(bench.tensor(DY))), expected, "It differs after a release");
    },
  },
  {
    id: "backward-outlives-freeze",
    clause: "4.3",
    needs: ["training", "gradients"],
    must: "freeze and unfreeze MUST take effect at the next call: a backward belongs to the mode of its own forward pass.",
    run: async (bench) => {
      const [layer, twin] = [bench.create(), bench.create()];
      for (const each of [layer, twin]) await each.call(bench.tensor(), { training: true });
      const expected = await bench.readGradients(twin.backward(bench.tensor(DY)));
      // To say again what holds already is nothing at all.
      layer.unfreeze();
      layer.trainable = true;
      const unchanged = await bench.readGradients(layer.backward(bench.tensor(DY)));
      bench.sameGradients(unchanged, expected, "After an unfreeze that changes nothing it is another gradient");
      layer.freeze();
      layer.freeze();
      bench.sameGradients(await bench.readGradients(layer.backward(bench.tensor(DY))), expected, "After freeze it is another gradient");
      await layer.call(bench.tensor(), { training: true, gradient: true });
      layer.unfreeze();
      const frozen = await bench.readGradients(layer.backward(bench.tensor(DY)));
      bench.expect(frozen.dgamma === null && frozen.dbeta === null, "After unfreeze a frozen pass gives gradients for gamma and beta.");
    },
  },
  {
    id: "gradient-of-nothing",
    clause: "10.3",
    needs: ["gradients"],
    must: "On an empty batch dx MUST be empty, and dgamma and dbeta the sums of nothing.",
    run: async (bench) => {
      const layer = bench.create();
      await layer.call(bench.tensor([], [0, 2]), { gradient: true });
      const { dx, dgamma, dbeta } = await bench.readGradients(layer.backward(bench.tensor([], [0, 2])));
      bench.expect(dx?.length === 0, `dx has ${dx?.length} elements.`);
      for (const [name, sums] of Object.entries({ dgamma, dbeta })) {
        bench.expect(sums?.length === 2 && sums.every((value) => value === 0), `${name} is [${sums}], expected [0,0].`);
      }
    },
  },
];
