import { afterAll, beforeAll, describe, it } from "vitest";
import { createBackend } from "../src/index.ts";
import { expectAgreement, expectSameBits } from "./expect-agreement.ts";
import { example, runExample, SHAPES } from "./numbers.ts";

const plain = createBackend({ kernels: "plain" });
const wasm = createBackend({ kernels: "wasm" });
const threads = createBackend({ kernels: "wasm", threads: 3 });

beforeAll(() => threads.ready);
afterAll(() => threads.terminate());

describe("the SIMD kernels", () => {
  for (const [shape, axis, what] of SHAPES) {
    for (const masked of [false, true]) {
      for (const training of [true, false]) {
        const title = `${what}: [${shape.join(", ")}], axis ${axis}${masked ? ", masked" : ""}, ${training ? "training" : "inference"}`;

        it(`${title}: agree with the plain ones, and in kernel memory and on threads give the same bits`, () => {
          const given = example(shape, axis, { masked, offset: masked ? 1000 : 0 });
          const outputs = runExample(wasm, given, training);
          expectAgreement(outputs, runExample(plain, given, training), given, training);
          expectSameBits(runExample(wasm, given, training, true), outputs);
          expectSameBits(runExample(threads, given, training, true), outputs);
          expectSameBits(runExample(threads, given, training), outputs);
        });
      }
    }
  }
});
