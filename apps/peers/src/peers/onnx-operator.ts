import { batchNormalizationModel } from "@batchnorm/benchmark/onnx-model";
import { type Backend, type BatchNormState, defineBackend, type FloatTensor, type MaskTensor, type Pass } from "@batchnorm/spec";
import type { InferenceSession, Tensor } from "onnxruntime-common";

/** What the operator is run on: onnxruntime-web or onnxruntime-node, and one of its providers. */
export interface OnnxRuntime {
  readonly name: string;
  readonly ort: { readonly InferenceSession: typeof InferenceSession; readonly Tensor: typeof Tensor };
  readonly provider: string;
  /** Whether its kernel takes `training_mode`. */
  readonly training: boolean;
}

type HostPass = Pass<FloatTensor, BatchNormState, MaskTensor>;
type Results = Readonly<Record<string, Tensor>>;

export const ONNX_CLAIMS: readonly string[] = [
  "A model of a single BatchNormalization node, opset 15, whose five inputs are inputs of the graph; state and freezing are ours.",
  "Its channel axis is axis 1: x goes in as `[outer, channels, inner]`, which is a reshape. Where there is no gamma or beta, it is given 1 or 0.",
  "It has no gradient and no mask.",
];

/** The operator BatchNormalization of ONNX by itself, as a backend. */
export function onnxOperator({ name, ort, provider, training }: OnnxRuntime): Backend<FloatTensor, "async", MaskTensor> {
  const sessions = new Map<string, Promise<InferenceSession>>();
  // onnxruntime-web does one thing at a time (1.30).
  let turn: Promise<unknown> = Promise.resolve();
  const run = (
    { config, state: { parameters, statistics }, x, view }: HostPass,
    work: "inference" | "training forward",
  ): Promise<Results> => {
    const { epsilon, momentum } = config;
    const key = `${work} ${epsilon} ${momentum}`;
    const { channels } = view;
    const vector = (values: Float32Array | null, instead: number): Tensor =>
      new ort.Tensor("float32", values?.slice() ?? new Float32Array(channels).fill(instead), [channels]);
    const feeds = {
      x: new ort.Tensor("float32", x.data.slice(), [view.outer, channels, view.inner]),
      scale: vector(parameters.gamma, 1),
      B: vector(parameters.beta, 0),
      mean: vector(statistics.movingMean, 0),
      var: vector(statistics.movingVariance, 1),
    };
    const result = turn.then(async () => {
      const model = batchNormalizationModel({ work, epsilon, momentum });
      if (!sessions.has(key)) sessions.set(key, ort.InferenceSession.create(model, { executionProviders: [provider] }));
      return (await sessions.get(key)!).run(feeds);
    });
    turn = result.catch(() => undefined);
    return result;
  };
  const infer = async (pass: HostPass): Promise<{ y: FloatTensor }> => ({ y: await outputOf(await run(pass, "inference"), pass) });
  const train = async (pass: HostPass): Promise<{ y: FloatTensor }> => {
    const results = await run(pass, "training forward");
    const { movingMean, movingVariance } = pass.state.statistics;
    movingMean.set(await dataOf(results.newMean));
    movingVariance.set(await dataOf(results.newVar));
    return { y: await outputOf(results, pass) };
  };
  return defineBackend({ name, infer, ...(training && { train }) });
}

async function outputOf({ y }: Results, { shape }: HostPass): Promise<FloatTensor> {
  return { data: await dataOf(y), shape };
}

async function dataOf(tensor: Tensor): Promise<Float32Array> {
  return ((await tensor.getData()) as Float32Array).slice();
}
