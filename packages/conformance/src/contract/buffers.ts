import { sizeOf } from "@batchnorm/spec";
import { type Bench, PLAIN_STATE, PLAIN_X, type Rule } from "./rule.ts";

/** A call, as it may be made with an output buffer and without. */
interface Mode {
  readonly name: string;
  readonly needs: readonly ("training" | "masks")[];
  readonly frozen?: boolean;
  readonly training?: boolean;
  /** The bytes of the mask, in turn. */
  readonly mask?: readonly number[];
}

const MODES: readonly Mode[] = [
  { name: "inference", needs: [] },
  { name: "training", needs: ["training"], training: true },
  { name: "a frozen call", needs: ["training"], training: true, frozen: true },
  { name: "a masked step", needs: ["training", "masks"], training: true, mask: [1, 0, 1, 1] },
  { name: "an all-hidden step", needs: ["training", "masks"], training: true, mask: [0] },
  { name: "masked inference", needs: ["masks"], mask: [1, 0] },
];

/** Two channels, with columns and without. */
const LAYOUTS = [
  { shape: [3, 2], maskShape: [3], axis: 1 },
  { shape: [2, 2, 5], maskShape: [2, 5], axis: 1 },
  { shape: [2, 5, 2], maskShape: [2, 5], axis: -1 },
] as const;

// biome-ignore lint/suspicious/noExplicitAny: a tensor of the backend's own
type Tensor = any;

const pattern = (length: number, from: readonly number[]): number[] =>
  Array.from({ length }, (_, k) => from[k % from.length] + 0.25 * Math.floor(k / from.length));

/** Does `work` in every mode that the backend has, on every layout, with a layer and a twin of it. */
async function inEveryMode(
  bench: Bench,
  work: (
    what: string,
    layer: ReturnType<Bench["create"]>,
    twin: ReturnType<Bench["create"]>,
    x: () => Tensor,
    options: { readonly training: boolean; readonly mask?: Tensor },
    dy: () => Tensor,
  ) => Promise<void>,
): Promise<void> {
  const { supports } = bench.backend;
  for (const { shape, maskShape, axis } of LAYOUTS) {
    if (supports.maxRank !== null && shape.length > supports.maxRank) continue;
    if (supports.axes === "last" && axis !== -1 && axis !== shape.length - 1) continue;
    for (const { name, needs, frozen = false, training = false, mask } of MODES) {
      if (needs.some((need) => !supports[need])) continue;
      const [layer, twin] = [bench.create({ axis, trainable: !frozen }), bench.create({ axis, trainable: !frozen })];
      const size = sizeOf(shape);
      const bytes = mask && bench.mask(pattern(sizeOf(maskShape), mask).map(Math.floor), maskShape);
      await work(
        `In ${name} on [${shape}]`,
        layer,
        twin,
        () => bench.tensor(pattern(size, PLAIN_X), shape),
        { training, ...(bytes !== undefined && { mask: bytes }) },
        () => bench.tensor(pattern(size, [1, 2, -3, 4, 5, 6, 0.5]), shape),
      );
      await bench.hasState(layer, await twin.state(), `after ${name} on [${shape}]`);
    }
  }
}

/** Output buffers, in every mode. */
export const BUFFERS: readonly Rule[] = [
  {
    id: "out-in-every-mode",
    clause: "17.4",
    needs: ["out"],
    must: "With out the result MUST be written there, be what it is without, and what call gives MUST be out itself.",
    run: (bench) =>
      inEveryMode(bench, async (what, layer, twin, x, options) => {
        const expected = await bench.read(await twin.call(x(), { ...options, gradient: false }));
        const out = bench.tensor(
          Array.from(expected, () => 9),
          (await bench.backend.download(x())).shape,
        );
        bench.expect((await layer.call(x(), { ...options, gradient: false, out })) === out, `${what} call gives another tensor.`);
        bench.same(await bench.read(out), expected, `${what} out holds something else`);
      }),
  },
  {
    id: "out-over-x-in-every-mode",
    clause: "17.4",
    needs: ["out"],
    must: "Where no gradient is wanted, out MAY be x itself, in every mode.",
    run: (bench) =>
      inEveryMode(bench, async (what, layer, twin, x, options) => {
        const expected = await bench.read(await twin.call(x(), { ...options, gradient: false }));
        const over = x();
        bench.expect((await layer.call(over, { ...options, gradient: false, out: over })) === over, `${what} call gives another tensor.`);
        bench.same(await bench.read(over), expected, `${what} x holds something else`);
      }),
  },
  {
    id: "out-written-over-before-backward",
    clause: "17.4",
    needs: ["out", "gradients"],
    must: "backward MUST NOT need the output: it MAY have been written over since, and backward MAY write to its own out or over dy.",
    run: (bench) =>
      inEveryMode(bench, async (what, layer, twin, x, options, dy) => {
        await twin.call(x(), { ...options, gradient: true });
        const expected = await bench.readGradients(twin.backward(dy()));
        const out = x();
        await layer.call(x(), { ...options, gradient: true, out });
        await bench.create({ axis: layer.config.axis }).call(dy(), { out });
        const over = dy();
        for (const buffer of [null, x(), over]) {
          const given = await layer.backward(buffer === over ? over : dy(), { out: buffer });
          bench.expect(buffer === null || given.dx === buffer, `${what} dx is another tensor than the out of backward.`);
          bench.sameGradients(await bench.readGradients(given), expected, `${what} the gradient is another one`);
        }
      }),
  },
  {
    id: "out-of-a-refused-call",
    clause: "14.1",
    needs: ["out"],
    must: "A refused call changes nothing: out MUST hold what it held.",
    run: async (bench) => {
      const { masks, gradients, training } = bench.backend.supports;
      const layer = bench.create();
      const out = bench.tensor([9, 9, 9, 9, 9, 9]);
      await bench.refuses("channel-mismatch", "Three channels", () =>
        layer.call(bench.tensor(PLAIN_X, [2, 3]), { out: bench.tensor(PLAIN_X, [2, 3]) }),
      );
      await bench.refuses("invalid-argument", "An unknown option", () => layer.call(bench.tensor(), { out, trainig: true } as never));
      await bench.refuses("invalid-argument", "A gradient of 1", () => layer.call(bench.tensor(), { out, gradient: 1 as never }));
      if (masks)
        await bench.refuses("invalid-mask", "A mask of two", () =>
          layer.call(bench.tensor(), { out, training, mask: bench.mask([1, 1], [2]) }),
        );
      if (gradients) {
        await layer.call(bench.tensor(), { gradient: true });
        await bench.refuses("invalid-gradient", "A dy of another shape", () => layer.backward(bench.tensor(PLAIN_X, [2, 3]), { out }));
      }
      const gone = bench.create();
      await gone.dispose();
      await bench.refuses("disposed", "A disposed layer", () => gone.call(bench.tensor(), { out }));
      bench.same(await bench.read(out), Float32Array.of(9, 9, 9, 9, 9, 9), "out was written to");
      await bench.hasState(layer, PLAIN_STATE, "after all of them");
    },
  },
];
