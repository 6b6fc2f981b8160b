import * as ort from "onnxruntime-web";
import type { Competitor, Contender, Results } from "../competitor.ts";
import { ONNXRUNTIME } from "../names.ts";
import type { Task } from "../task.ts";
import { batchNormalizationModel } from "./onnx-model.ts";

/**
 * onnxruntime-web's wasm, one thread, with a model of a single BatchNormalization node. It wants channels second: channels last goes in as
 * `[N * H*W, C]`, which needs no transposition.
 */
export async function bareOnnxruntime(): Promise<Competitor> {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  return { name: ONNXRUNTIME, prepare: async (task) => (task.work === "forward + backward" ? null : contender(task)) };
}

async function contender(task: Task): Promise<Contender> {
  const { work, layout, size, shape, x, state } = task;
  const [batch, positions, channels] = size;
  const session = await ort.InferenceSession.create(batchNormalizationModel(task), { executionProviders: ["wasm"] });
  const vector = (data: Float32Array): ort.Tensor => new ort.Tensor("float32", data, [channels]);
  const { gamma, beta } = state.parameters;
  const { movingMean, movingVariance } = state.statistics;
  const feeds = {
    x: new ort.Tensor("float32", x, layout === "channels last" ? [batch * positions, channels] : shape),
    scale: vector(gamma),
    B: vector(beta),
    mean: vector(movingMean),
    var: vector(movingVariance),
  };
  return {
    // An async function by its looks: tinybench would call any other once without waiting, and two runs at once corrupt the runtime's stack.
    run: async () => {
      await session.run(feeds);
    },
    results: async (): Promise<Results> => {
      const outputs = await session.run(feeds);
      const [y, mean, variance] = ["y", "newMean", "newVar"].map((name) => outputs[name]?.data as Float32Array);
      return work === "inference" ? { y } : { y, movingMean: mean, movingVariance: variance };
    },
    dispose: () => session.release(),
  };
}
