import { find, type InspectReport, type OnnxModel } from "@batchnorm/onnx-model";
import { fromJSON } from "@batchnorm/spec/convert";
import type { WeightStates } from "./weight-states.ts";

/** The arrays of a layer that can be drawn, by the name under the picture. */
export type PageArrays = Readonly<Record<"gamma" | "beta" | "mean" | "variance", ArrayLike<number> | null>>;

/**
 * The arrays of every layer of a report, out of the model, or out of the weight file where the model does not have
 * them.
 */
export async function arraysForPage(model: OnnxModel, report: InspectReport, weights: WeightStates | null): Promise<readonly PageArrays[]> {
  const { layers } = await find(model);
  return layers.map(({ parameters, statistics }, k) => {
    const filling = report.layers[k].weights;
    const state = filling === null || weights === null ? null : fromJSON(weights.states[filling.state]).state;
    const from = <Name extends "gamma" | "beta" | "movingMean" | "movingVariance">(name: Name): ArrayLike<number> | null => {
      const own = { ...parameters, ...statistics }[name];
      return own ?? (filling?.filled.includes(name) && state !== null ? { ...state.parameters, ...state.statistics }[name] : null);
    };
    return { gamma: from("gamma"), beta: from("beta"), mean: from("movingMean"), variance: from("movingVariance") };
  });
}
