import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { type Feeds, type Runtime, randomInputs, verifyFold } from "../src/execute/index.ts";
import { fold, writeModel } from "../src/index.ts";
import { expectCode } from "./expect-code.ts";
import { type KnownModel, MODELS, modelOf, tensorsOf } from "./fixtures.ts";

function inputsOf(known: KnownModel): Feeds {
  const tensors = tensorsOf(known.tensors);
  return Object.fromEntries(
    Object.entries(known.inputs).map(([name, { type, shape }]) => {
      const numbers = Array.from(tensors.get(`input/${name}`)!.data as ArrayLike<number>, Number);
      const data =
        type === "bool" ? Uint8Array.from(numbers) : type === "int64" ? BigInt64Array.from(numbers, BigInt) : Float32Array.from(numbers);
      return [name, new ort.Tensor(type as "float32", data as Float32Array, shape)];
    }),
  );
}

const known = (id: string): KnownModel => MODELS.find((each) => each.id === id)!;

/**
 * Models that fold and that the runtime takes; float16 comes in as float32 alone (onnxruntime-node 1.30 and Node 24).
 */
const foldable = MODELS.filter(
  ({ layers, onnxruntime: { disabled }, inputs }) =>
    layers.some(({ fold: { possible } }) => possible) && typeof disabled === "number" && inputs.x?.type !== "float16",
);

describe("every fold of every model is within its bound", () => {
  test.each(foldable.map((each) => [each.id, each] as const))("%s", async (id, each) => {
    const model = modelOf(each);
    const {
      passed,
      executed,
      unexecuted,
      report,
      outputs,
      float16Outputs,
      model: folded,
    } = await verifyFold(model, { ort, inputs: inputsOf(each) });
    expect(unexecuted).toEqual([]);
    expect(executed.map(({ layer }) => layer).sort()).toEqual(report.folded.map(({ layer }) => layer).sort());
    expect(passed).toBe(true);
    for (const { error, bound, elements, input } of executed) {
      expect(error).toBeLessThanOrEqual(bound);
      expect(bound).toBeLessThan(Number.POSITIVE_INFINITY);
      expect(elements).toBeGreaterThan(0);
      // What is computed in a loop cannot be had from a run.
      expect(input).toBe(id === "handmade/loop-body" ? "made-up" : "run");
    }
    expect(outputs.map(({ output }) => output)).toEqual(Object.keys(each.outputs));
    expect(float16Outputs).toBeNull();
    // The same fold as without a runtime.
    expect(writeModel(folded)).toEqual(writeModel((await fold(model)).model));
  });
});

/** A runtime whose every n-th session, from the k-th on, gives numbers that are off by a share of 2^-10. */
function wrongRuntime(from: number, every: number): Runtime {
  let sessions = 0;
  const create = async (...args: Parameters<typeof ort.InferenceSession.create>): Promise<ort.InferenceSession> => {
    const session = await ort.InferenceSession.create(...args);
    const isWrong = sessions >= from && (sessions - from) % every === 0;
    sessions += 1;
    if (!isWrong) return session;
    return {
      inputNames: session.inputNames,
      release: () => session.release(),
      run: async (feeds: Feeds, outputs: readonly string[]) => {
        const results = await session.run(feeds, outputs);
        const off = ({ data, dims }: ort.Tensor) =>
          new ort.Tensor(
            (data as Float32Array).map((value) => value * (1 + 2 ** -10)),
            dims,
          );
        return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, off(tensor)]));
      },
    } as unknown as ort.InferenceSession;
  };
  return { InferenceSession: { create }, Tensor: ort.Tensor } as unknown as Runtime;
}

describe("what a wrong fold looks like", () => {
  test("an error of a thousandth is beyond the bound, and is told with its channel", async () => {
    const model = modelOf(known("handmade/conv-bn"));
    // The run of the whole model, the original's nodes, the folded node, the folded model.
    const { passed, executed } = await verifyFold(model, { ort: wrongRuntime(2, 100), inputs: inputsOf(known("handmade/conv-bn")) });
    expect(passed).toBe(false);
    expect(executed).toMatchObject([{ layer: "bn", isWithin: false }]);
    expect(executed[0].error).toBeGreaterThan(executed[0].bound);
  });

  test("a folded model that gives something else shows in its outputs", async () => {
    const model = modelOf(known("handmade/conv-bn"));
    const { outputs } = await verifyFold(model, { ort: wrongRuntime(3, 100), inputs: inputsOf(known("handmade/conv-bn")) });
    expect(outputs[0].difference! / outputs[0].largest!).toBeCloseTo(2 ** -10, 5);
  });
});

test("float16 is compared with the folded model, not with the original", async () => {
  const each = known("recalibration/digits");
  const { report, outputs, float16Outputs } = await verifyFold(modelOf(each), { ort, inputs: inputsOf(each), float16: true });
  expect(report.float16).not.toBeNull();
  const [{ difference, largest }] = float16Outputs!;
  // Eleven binary digits, through five nodes; and float32's own error is far smaller.
  expect(difference! / largest!).toBeGreaterThan(2 ** -16);
  expect(difference! / largest!).toBeLessThan(2 ** -8);
  expect(outputs[0].difference!).toBeLessThan(difference! / 10);
});

test("a variance that float16 does not hold costs nothing once it is folded", async () => {
  const each = known("handmade/float16-unsafe-variance");
  const { report, float16Outputs } = await verifyFold(modelOf(each), { ort, inputs: inputsOf(each), float16: true });
  expect(report.float16?.refused).toEqual([]);
  expect(float16Outputs![0].difference! / float16Outputs![0].largest!).toBeLessThan(2 ** -8);
});

test("nothing to fold: both models are run, and agree to the bit", async () => {
  const each = known("handmade/negative-variance-within-epsilon");
  const { passed, executed, report, outputs } = await verifyFold(modelOf(each), { ort, inputs: inputsOf(each) });
  expect(report.kept.map(({ code }) => code)).toEqual(["negative-variance"]);
  expect([passed, executed, outputs[0].difference]).toEqual([true, [], 0]);
});

test("inputs that are missing, and a model that the runtime does not run, are refused", async () => {
  const model = modelOf(known("handmade/conv-bn"));
  await expectCode("invalid-argument", () => verifyFold(model, { ort, inputs: {} }));
  await expectCode("runtime-failure", () => verifyFold(model, { ort, inputs: randomInputs(model, ort, { shapes: { x: [1, 2] } }) }));
  await expectCode("invalid-argument", () => verifyFold(model, { ort, inputs: {}, layer: ["bn"] } as never));
});
