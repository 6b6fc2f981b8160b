import { freezeBatchNorms, replaceBatchNorms } from "@batchnorm/backend-tfjs/layers";
import { beforeAll, describe, expect, it } from "vitest";
import { fineTune, fineTuning, loadDigitsModel, type NormName, weightsOf } from "./digits.ts";
import { startTfjs } from "./start-tfjs.ts";

const FIELDS = ["gamma", "beta", "movingMean", "movingVariance"] as const;

beforeAll(async () => {
  await startTfjs("cpu");
});

/** A float32 array as bits: nothing is rounded in a comparison. */
const bits = (weights: Float32Array[]): number[][] => weights.map((each) => [...new Uint32Array(each.buffer)]);

/** The largest distance of any channel. */
const distance = (a: ArrayLike<number>, b: readonly number[]): number => Math.max(...b.map((value, c) => Math.abs(a[c] - value)));

// tfjs 4.22 cannot train a convolution on wasm: "Kernel 'Conv2DBackpropFilter' not registered".
describe("fine-tuning a Keras CNN on real digits", () => {
  it("leaves frozen statistics and parameters as they are, bit for bit; tfjs's own layer does not", async () => {
    const [own, ours] = [await loadDigitsModel(), await loadDigitsModel()];
    own.getLayer("middle").trainable = false;
    for (const layer of replaceBatchNorms(ours)) layer.trainable = layer.name !== "middle";
    const before = bits(weightsOf(own, "middle"));
    await fineTune(own);
    await fineTune(ours);
    expect(bits(weightsOf(ours, "middle"))).toEqual(before);
    const [gamma, beta, movingMean, movingVariance] = bits(weightsOf(own, "middle"));
    expect([gamma, beta]).toEqual(before.slice(0, 2));
    expect(movingMean).not.toEqual(before[2]);
    expect(movingVariance).not.toEqual(before[3]);
    // What is not frozen has learned in both.
    for (const model of [own, ours]) expect(bits(weightsOf(model, "last"))).not.toEqual(bits(weightsOf(await loadDigitsModel(), "last")));
  });

  it("with all of them frozen, trains the rest and no statistic", async () => {
    const model = await loadDigitsModel();
    const layers = freezeBatchNorms(model);
    const before = layers.map(({ name }) => bits(weightsOf(model, name)));
    const dense = bits(weightsOf(model, "dense_1"));
    await fineTune(model);
    expect(layers.map(({ name }) => bits(weightsOf(model, name)))).toEqual(before);
    expect(bits(weightsOf(model, "dense_1"))).not.toEqual(dense);
  });

  it("agrees with Keras step by step", async () => {
    const model = await loadDigitsModel();
    replaceBatchNorms(model);
    // Exact sums would give the float64 run; Keras's own float32 run is some rounding errors away from it. A float32 run
    // with other orders of summation gets twice that at the most, and one rounding of its own.
    const reached = new Map<string, number>();
    const check = (what: string, got: ArrayLike<number>, keras: readonly number[], truth: readonly number[]): void => {
      const far = Math.max(reached.get(what) ?? 0, distance(keras, truth));
      reached.set(what, far);
      const rounding = 2 ** -24 * Math.max(...truth.map(Math.abs));
      expect(distance(got, truth), what).toBeLessThanOrEqual(2 * far + rounding);
    };
    let steps = 0;
    await fineTune(model, (step, loss) => {
      const { float32, float64 } = fineTuning.steps[step];
      for (const name of Object.keys(float64.norms) as NormName[]) {
        weightsOf(model, name).forEach((got, index) => {
          const field = FIELDS[index];
          check(`${name} ${field}`, got, float32.norms[name][field], float64.norms[name][field]);
        });
      }
      // Eight logits' errors of 1e-6 are the most that one loss has shown; without batch statistics it is off by 1e-3.
      expect(loss).toBeCloseTo(float64.loss, 5);
      steps++;
    });
    expect(steps).toBe(fineTuning.steps.length);
  });
});
