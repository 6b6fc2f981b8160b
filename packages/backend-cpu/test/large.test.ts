import { afterAll, beforeAll, describe, it } from "vitest";
import { createBackend } from "../src/index.ts";
import { expectSameBits } from "./expect-agreement.ts";
import { example, runExample } from "./numbers.ts";
import { expectOracle, oracle } from "./oracle.ts";

const plain = createBackend({ kernels: "plain" });
const auto = createBackend();
const threads = createBackend({ threads: 2 });

beforeAll(() => threads.ready);
afterAll(() => threads.terminate());

/** Sizes beyond each limit of the kernels: of blocks, chunks, tiles, slabs, counters of 16 bits, and the caches' bound of 8 MB. */
const LARGE: readonly (readonly [readonly number[], number, string])[] = [
  [[32_500, 67], 1, "8 MB, row by row, rows that are no whole vectors"],
  [[9, 200, 35, 37], 1, "8 MB, runs in slabs"],
  [[260, 8199], 1, "8 MB, more columns than a block"],
  [[66_001, 8], 1, "64 chunks of rows"],
  [[40, 4099], 1, "the columns of a tile"],
  [[3, 65_539], 1, "channels of 16 bits"],
  [[65_539, 3], 1, "n of 16 bits, in columns"],
  [[131_101, 1, 2], 1, "n of 17 bits, one channel"],
  [[2, 3, 70_001], 1, "inner of 16 bits"],
  [[67, 2, 4099], 1, "a tile, and 64 rows of runs"],
  [[11, 13, 17, 19], 1, "nothing but prime numbers"],
  [[13, 11, 3, 11], 2, "an axis in the middle"],
  [[50, 1300, 7], 1, "a block, a pattern of short runs"],
  [[2, 2, 2, 1, 2, 3, 2, 2, 5, 2, 2, 5], 5, "rank 12"],
];

describe("large tensors", () => {
  for (const [shape, axis, what] of LARGE) {
    for (const masked of [false, true]) {
      it(`beyond ${what}: [${shape.join(", ")}], axis ${axis}${masked ? ", masked" : ""}: are what float64 gives, on every path`, () => {
        const given = example(shape, axis, { masked, offset: 10 });
        for (const training of masked ? [true] : [true, false]) {
          const expected = oracle(given, training);
          const outputs = runExample(auto, given, training);
          expectOracle(outputs, expected);
          expectOracle(runExample(plain, given, training), expected);
          expectSameBits(runExample(auto, given, training, true), outputs);
          expectSameBits(runExample(threads, given, training, true), outputs);
        }
      });
    }
  }
});
