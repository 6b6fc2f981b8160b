import { hostTensor, numbersOf } from "../checks/host-numbers.ts";
import { halvesOf } from "../checks/needs.ts";
import { type HalfDType, nearest, PRECISIONS } from "../vectors/half.ts";
import { type Bench, PLAIN_STATE, PLAIN_X, type Rule } from "./rule.ts";

const DY = [1, 2, -3, 4, 5, 6];

// biome-ignore lint/suspicious/noExplicitAny: a tensor of the backend's own
type Tensor = any;

/** The greatest number of a dtype. */
const greatest = (dtype: HalfDType): number => (2 - 2 ** -PRECISIONS[dtype].fraction) * (PRECISIONS[dtype].beyond / 2);

function half(bench: Bench, dtype: HalfDType, numbers: readonly number[] = PLAIN_X, shape: readonly number[] = [3, 2]): Tensor {
  return bench.backend.upload(hostTensor(Float32Array.from(numbers), shape, dtype));
}

/** The same numbers in every other dtype that the backend takes: what x, out and dy must not be mixed with. */
function inOtherDTypes(bench: Bench, dtype: HalfDType, numbers?: readonly number[]): Tensor[] {
  const halves = halvesOf(bench.backend.supports).filter((each) => each !== dtype);
  return [bench.tensor(numbers), ...halves.map((each) => half(bench, each, numbers))];
}

async function read(bench: Bench, tensor: Tensor, dtype: HalfDType): Promise<Float32Array | null> {
  return numbersOf(await bench.backend.download(tensor), dtype);
}

/** float16 and bfloat16, where the manifest lists them. What an error bound can tell is the vectors' and the trials' business. */
export const HALVES: readonly Rule[] = [
  {
    id: "half-rounds-to-even",
    clause: "13.3",
    needs: ["half"],
    must: "y MUST be rounded once, of two numbers that are equally near to the one whose last bit is 0. (With a gamma of 0 y is beta, in any form of the formula.)",
    run: async (bench) => {
      for (const dtype of halvesOf(bench.backend.supports)) {
        const unit = 2 ** -PRECISIONS[dtype].fraction;
        // Ties, and their neighbours in float32; the last two go to the greatest number, and to infinity.
        const end = greatest(dtype) + (PRECISIONS[dtype].beyond * unit) / 4;
        const beta = [
          1 + unit / 2,
          1 + 1.5 * unit,
          1 + unit / 2 + 2 ** -23,
          1 + 1.5 * unit - 2 ** -23,
          -1 - 2.5 * unit,
          end * (1 - 2 ** -23),
          end,
        ];
        const state = {
          parameters: { gamma: beta.map(() => 0), beta },
          statistics: { movingMean: beta.map(() => 3), movingVariance: beta.map(() => 2) },
        };
        const x = half(bench, dtype, [...beta.map(() => 1), ...beta.map(() => -5)], [2, beta.length]);
        const expected = Float32Array.from([...beta, ...beta], (each) => nearest(Math.fround(each), dtype));
        bench.same(await read(bench, await bench.create({}, state).call(x), dtype), expected, `In ${dtype} it is not`);
      }
    },
  },
  {
    id: "half-into-out",
    clause: "17.4",
    needs: ["half", "out"],
    must: "out MUST be of the dtype of x: the result is written there, over x too, and another dtype is refused with invalid-out.",
    run: async (bench) => {
      for (const dtype of halvesOf(bench.backend.supports)) {
        const layer = bench.create();
        const expected = await read(bench, await layer.call(half(bench, dtype)), dtype);
        const [out, over] = [half(bench, dtype, DY), half(bench, dtype)];
        bench.expect((await layer.call(half(bench, dtype), { out })) === out, `In ${dtype} call gives another tensor than out.`);
        bench.same(await read(bench, out, dtype), expected, `In ${dtype} out holds something else`);
        await layer.call(over, { out: over });
        bench.same(await read(bench, over, dtype), expected, `In ${dtype} x as out holds something else`);
        for (const other of inOtherDTypes(bench, dtype)) {
          await bench.refuses("invalid-out", `An out of another dtype than ${dtype}`, () => layer.call(half(bench, dtype), { out: other }));
        }
        await bench.refuses("invalid-out", `An out of ${dtype} for float32`, () => layer.call(bench.tensor(), { out }));
      }
    },
  },
  {
    id: "half-gradient-into-out",
    clause: "17.4",
    needs: ["half", "out", "gradients"],
    must: "dx MUST be written to the out of backward, which is of the dtype of x, over dy too.",
    run: async (bench) => {
      for (const dtype of halvesOf(bench.backend.supports)) {
        const layer = bench.create();
        await layer.call(half(bench, dtype), { gradient: true });
        const { dx } = await layer.backward(half(bench, dtype, DY));
        const expected = await read(bench, dx, dtype);
        for (const out of [half(bench, dtype), half(bench, dtype, DY)]) {
          const given = await layer.backward(half(bench, dtype, DY), { out });
          bench.expect(given.dx === out, `In ${dtype} dx is another tensor than out.`);
          bench.same(await read(bench, out, dtype), expected, `In ${dtype} out holds something else`);
        }
        const over = half(bench, dtype, DY);
        await layer.backward(over, { out: over });
        bench.same(await read(bench, over, dtype), expected, `In ${dtype} dy as out holds something else`);
        await bench.refuses("invalid-out", "An out of float32", () => layer.backward(half(bench, dtype, DY), { out: bench.tensor() }));
      }
    },
  },
  {
    id: "half-gradient-of-its-dtype",
    clause: "13.3",
    needs: ["half", "gradients"],
    must: "dy MUST have the dtype of x: another one is refused with invalid-gradient, and the pass stays.",
    run: async (bench) => {
      for (const dtype of halvesOf(bench.backend.supports)) {
        const layer = bench.create();
        await layer.call(half(bench, dtype), { gradient: true });
        const expected = await read(bench, (await layer.backward(half(bench, dtype, DY))).dx, dtype);
        bench.expect(expected !== null, `Of x in ${dtype} dx has another dtype.`);
        for (const dy of inOtherDTypes(bench, dtype, DY)) {
          await bench.refuses("invalid-gradient", `A dy of another dtype than ${dtype}`, () => layer.backward(dy));
        }
        bench.same(
          await read(bench, (await layer.backward(half(bench, dtype, DY))).dx, dtype),
          expected,
          "After the refusals it is another",
        );
        await layer.call(bench.tensor(), { gradient: true });
        await bench.refuses("invalid-gradient", `A dy of ${dtype} for float32`, () => layer.backward(half(bench, dtype, DY)));
      }
    },
  },
  {
    id: "half-rejection",
    clause: "11.2",
    needs: ["half", "reject"],
    must: "With nonFinite 'reject', NaN and infinities of half precision MUST be refused with non-finite, by an error that names the channel, and the state MUST stay.",
    run: async (bench) => {
      for (const dtype of halvesOf(bench.backend.supports)) {
        const layer = bench.create({ nonFinite: "reject" });
        for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          const x = half(bench, dtype, [1, 2, 3, value, 5, 6]);
          const error = await bench.refuses("non-finite", `${value} in ${dtype}`, () => layer.call(x));
          if (error instanceof Error) bench.expect(/\b1\b/.test(error.message), `The error names no channel: "${error.message}".`);
        }
        await bench.hasState(layer, PLAIN_STATE, "after the refusals");
      }
    },
  },
  {
    id: "half-that-is-finite",
    clause: "11.2",
    needs: ["half", "reject"],
    must: "nonFinite 'reject' MUST refuse nothing that is finite in x, a y that overflows included.",
    run: async (bench) => {
      for (const dtype of halvesOf(bench.backend.supports)) {
        const largest = greatest(dtype);
        const x = [largest, -largest, 0, -0, 2 ** (PRECISIONS[dtype].leastExponent - PRECISIONS[dtype].fraction), 1];
        const state = { ...PLAIN_STATE, statistics: { movingMean: [0, 0], movingVariance: [0.25, 0.25] } };
        const expected = await read(bench, await bench.create({}, state).call(half(bench, dtype, x)), dtype);
        const y = await read(bench, await bench.create({ nonFinite: "reject" }, state).call(half(bench, dtype, x)), dtype);
        bench.same(y, expected, `In ${dtype} it gives another output`);
        bench.expect(expected?.[0] === Number.POSITIVE_INFINITY, `In ${dtype} y does not overflow: it is ${expected?.[0]}.`);
      }
    },
  },
];
