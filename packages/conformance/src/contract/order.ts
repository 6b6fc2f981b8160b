import { OTHER_STATE } from "./ownership.ts";
import { isPromise, PLAIN_STATE, PLAIN_X, type Rule } from "./rule.ts";

const DY = [1, 2, -3, 4, 5, 6];
const TRAIN = { training: true } as const;
const batch = (factor: number): number[] => PLAIN_X.map((value) => value * factor);

/**
 * What happens when, and after a failure. On a synchronous layer the overlapping calls do not overlap, and the rules hold of
 * themselves.
 */
export const ORDER: readonly Rule[] = [
  {
    id: "overlapping-calls",
    clause: "17.1",
    needs: ["training"],
    must: "Calls that overlap on one layer MUST act in the order in which they were made.",
    run: async (bench) => {
      const [together, inTurn] = [bench.create({ momentum: 0.5 }), bench.create({ momentum: 0.5 })];
      const factors = [1, 10, 100];
      for (const factor of factors) await inTurn.call(bench.tensor(batch(factor)), TRAIN);
      await Promise.all(factors.map((factor) => bench.begin(together.call(bench.tensor(batch(factor)), TRAIN))));
      await bench.hasState(together, await inTurn.state(), "after calls that overlapped");
    },
  },
  {
    id: "overlapping-freeze",
    clause: "17.1",
    needs: ["training"],
    must: "A call MUST be judged by the layer's configuration at the time it is made: a freeze or unfreeze after it comes too late.",
    run: async (bench) => {
      const [layer, twin] = [bench.create(), bench.create()];
      await twin.call(bench.tensor(), TRAIN);
      const trained = bench.begin(layer.call(bench.tensor(), TRAIN));
      layer.freeze();
      const frozen = bench.begin(layer.call(bench.tensor(), TRAIN));
      layer.unfreeze();
      await Promise.all([trained, frozen]);
      await bench.hasState(layer, await twin.state(), "after a step, a freeze, a frozen call and an unfreeze");
    },
  },
  {
    id: "overlapping-state",
    clause: "17.1",
    needs: ["training"],
    must: "state() MUST give the state between the call that was made before it and the one that was made after it.",
    run: async (bench) => {
      const [layer, twin] = [bench.create(), bench.create()];
      await twin.call(bench.tensor(), TRAIN);
      const before = bench.begin(layer.call(bench.tensor(), TRAIN));
      const state = bench.begin(layer.state());
      const after = bench.begin(layer.call(bench.tensor(batch(10)), TRAIN));
      await Promise.all([before, after]);
      const { statistics } = await twin.state();
      bench.same((await state).statistics.movingMean, statistics.movingMean, "movingMean is of another time");
      bench.same((await state).statistics.movingVariance, statistics.movingVariance, "movingVariance is of another time");
    },
  },
  {
    id: "overlapping-set-state",
    clause: "17.1",
    needs: ["training"],
    must: "setState MUST act after the calls before it and before the calls after it.",
    run: async (bench) => {
      const [layer, inTurn] = [bench.create(), bench.create()];
      const expected = [await bench.read(await inTurn.call(bench.tensor(), TRAIN))];
      await inTurn.setState(OTHER_STATE);
      expected.push(await bench.read(await inTurn.call(bench.tensor(), TRAIN)));
      const first = bench.begin(layer.call(bench.tensor(), TRAIN));
      const setting = bench.begin(layer.setState(OTHER_STATE));
      const second = bench.begin(layer.call(bench.tensor(), TRAIN));
      bench.same(await bench.read(await first), expected[0], "The call before it gives another output");
      await setting;
      bench.same(await bench.read(await second), expected[1], "The call after it gives another output");
      await bench.hasState(layer, await inTurn.state(), "after all three");
    },
  },
  {
    id: "overlapping-backward",
    clause: "17.1",
    needs: ["training", "gradients"],
    must: "backward MUST differentiate the call that was made last before it, not one that was made after it.",
    run: async (bench) => {
      const [layer, inTurn] = [bench.create(), bench.create()];
      const expected = [];
      for (const factor of [1, 10]) {
        await inTurn.call(bench.tensor(batch(factor)), TRAIN);
        expected.push(await bench.readGradients(inTurn.backward(bench.tensor(DY))));
      }
      const running: unknown[] = [];
      const gradients = [1, 10].map((factor) => {
        running.push(bench.begin(layer.call(bench.tensor(batch(factor)), TRAIN)));
        return bench.begin(bench.readGradients(layer.backward(bench.tensor(DY))));
      });
      await Promise.all(running);
      for (const [index, gradient] of gradients.entries())
        bench.sameGradients(await gradient, expected[index], `Gradient ${index} differs`);
    },
  },
  {
    id: "throws-or-rejects",
    clause: "14.1",
    must: "A synchronous method MUST throw, an asynchronous one MUST reject: callers catch in one place.",
    run: async (bench) => {
      const { gradients } = bench.backend.supports;
      const [layer, gone] = [bench.create(), bench.create()];
      await gone.dispose();
      const withDy = async (dy: unknown, options?: object): Promise<() => unknown> => {
        const asked = bench.create();
        await asked.call(bench.tensor(), { gradient: true });
        return () => asked.backward(dy, options as never);
      };
      const asks: readonly (readonly [name: string, good: () => unknown, bad: readonly (() => unknown)[]])[] = [
        [
          "call",
          () => layer.call(bench.tensor()),
          [
            () => layer.call(bench.tensor(PLAIN_X, [2, 3])),
            () => layer.call(null),
            () => layer.call(bench.tensor(), { trainig: true } as never),
            () => gone.call(bench.tensor()),
          ],
        ],
        [
          "setState",
          () => layer.setState({}),
          [() => layer.setState({ parameters: { gamma: [1] } }), () => layer.setState(null as never), () => gone.setState({})],
        ],
        ["state", () => layer.state(), [() => gone.state()]],
        ["download", () => bench.backend.download(bench.tensor()), [() => bench.backend.download(null)]],
        ...(gradients
          ? ([
              [
                "backward",
                await withDy(bench.tensor(DY)),
                [
                  await withDy(bench.tensor(DY, [2, 3])),
                  await withDy(null),
                  await withDy(bench.tensor(DY), { outt: 1 }),
                  () => bench.create().backward(bench.tensor(DY)),
                  () => gone.backward(bench.tensor(DY)),
                ],
              ],
            ] as const)
          : []),
      ];
      for (const [name, good, bads] of asks) {
        const answer = good();
        const asynchronous = isPromise(answer);
        await answer;
        for (const [index, bad] of bads.entries()) {
          let thrown = false;
          try {
            await Promise.resolve(bad()).then(
              () => bench.violations.push(`Wrong use ${index} of ${name} was accepted.`),
              () => undefined,
            );
          } catch {
            thrown = true;
          }
          bench.expect(
            thrown !== asynchronous,
            `${name} ${asynchronous ? "answers with a promise but threw" : "answers at once but did not throw"} at wrong use ${index}.`,
          );
        }
      }
    },
  },
  {
    id: "works-after-refusal",
    clause: "6.3",
    needs: ["training"],
    must: "A refused call MUST leave a layer that works as before.",
    run: async (bench) => {
      const [layer, twin] = [bench.create(), bench.create()];
      await bench.refuses("empty-batch", "An empty batch", () => layer.call(bench.tensor([], [0, 2]), TRAIN));
      const got = await bench.read(await layer.call(bench.tensor(), TRAIN));
      bench.same(got, await bench.read(await twin.call(bench.tensor(), TRAIN)), "The next result differs");
      await bench.hasState(layer, await twin.state(), "after the next step");
    },
  },
  {
    id: "works-after-rejection",
    clause: "6.3",
    needs: ["training", "reject"],
    must: "A training step that failed over its data MUST leave a layer that works as before.",
    run: async (bench) => {
      const [layer, twin] = [bench.create({ nonFinite: "reject" }), bench.create({ nonFinite: "reject" })];
      await bench.refuses("non-finite", "A NaN", () => layer.call(bench.tensor([1, 2, 3, 4, 5, Number.NaN]), TRAIN));
      await bench.hasState(layer, PLAIN_STATE, "after the refusal");
      const got = await bench.read(await layer.call(bench.tensor(), TRAIN));
      bench.same(got, await bench.read(await twin.call(bench.tensor(), TRAIN)), "The next result differs");
      await bench.hasState(layer, await twin.state(), "after the next step");
    },
  },
  {
    id: "disposed",
    clause: "17.2",
    must: "Every use of a disposed layer MUST be refused with disposed, and a second dispose MUST do nothing.",
    run: async (bench) => {
      const { gradients } = bench.backend.supports;
      const layer = bench.create();
      await layer.call(bench.tensor(), { gradient: gradients });
      await layer.dispose();
      await layer.dispose();
      await bench.refuses("disposed", "call", () => layer.call(bench.tensor()));
      if (gradients) await bench.refuses("disposed", "backward", () => layer.backward(bench.tensor()));
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
      const running = bench.begin(layer.call(bench.tensor(), TRAIN));
      const disposing = bench.begin(layer.dispose());
      const got = await bench.read(await running);
      await disposing;
      bench.same(got, await bench.read(await twin.call(bench.tensor(), TRAIN)), "Its result differs");
    },
  },
  {
    id: "dispose-with-another-pending",
    clause: "17.2",
    needs: ["training", "gradients"],
    must: "dispose MUST NOT free what another layer has kept for its backward.",
    run: async (bench) => {
      const [layer, other, twin] = [bench.create(), bench.create(), bench.create()];
      await twin.call(bench.tensor(), TRAIN);
      const expected = await bench.readGradients(twin.backward(bench.tensor(DY)));
      await layer.call(bench.tensor(), TRAIN);
      await other.call(bench.tensor(batch(10)), TRAIN);
      await other.dispose();
      bench.sameGradients(await bench.readGradients(layer.backward(bench.tensor(DY))), expected, "The gradient is another one");
      await twin.dispose();
      bench.sameGradients(await bench.readGradients(layer.backward(bench.tensor(DY))), expected, "After another dispose it is another one");
    },
  },
  {
    id: "disposed-is-not-trainable",
    clause: "17.2",
    must: "To set trainable on a disposed layer MUST be refused with disposed.",
    run: async (bench) => {
      const layer = bench.create();
      await layer.dispose();
      await bench.refuses("disposed", "trainable = false", () => {
        layer.trainable = false;
      });
    },
  },
  {
    id: "dispose-one-of-two",
    clause: "17.2",
    must: "dispose MUST NOT free what another layer holds.",
    run: async (bench) => {
      const [layer, other] = [bench.create(), bench.create()];
      const expected = await bench.read(await layer.call(bench.tensor()));
      await other.dispose();
      bench.same(await bench.read(await layer.call(bench.tensor())), expected, "The other layer's output differs");
      await bench.hasState(layer, PLAIN_STATE, "after the other's dispose");
    },
  },
];
