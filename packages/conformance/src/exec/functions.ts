import type { BackwardPass, BatchNormState, ChannelView, FloatTensor, ForwardResult, Gradients, MaskTensor, Pass } from "@batchnorm/spec";
import type { AdapterProcess, Answer } from "./adapter-process.ts";
import { decodeArrayOrNull, decodeTensor, encodeArray, encodeTensor } from "./wire.ts";

type HostPass = Pass<FloatTensor, BatchNormState, MaskTensor>;
/** What the adapter gave as `saved`: nobody else's business. */
interface Saved {
  readonly value: unknown;
}

/** The arithmetic of an adapter that holds nothing: each request has all that it needs, and the state stays here. */
export function functionsOf(running: () => AdapterProcess): {
  infer(pass: HostPass): Promise<ForwardResult<FloatTensor, Saved>>;
  train(pass: HostPass): Promise<ForwardResult<FloatTensor, Saved>>;
  backward(pass: BackwardPass<FloatTensor, BatchNormState, Saved, MaskTensor>): Promise<Gradients<FloatTensor>>;
} {
  const forward = async (op: "infer" | "train", pass: HostPass): Promise<{ answer: Answer; result: ForwardResult<FloatTensor, Saved> }> => {
    const answer = await running().request(op, () => fieldsOf(pass));
    return { answer, result: { y: decodeView(answer, "y", pass), saved: { value: answer.saved ?? null } } };
  };
  return {
    infer: async (pass) => (await forward("infer", pass)).result,
    async train(pass) {
      const { answer, result } = await forward("train", pass);
      const { movingMean, movingVariance } = pass.state.statistics;
      const shape = [pass.view.channels];
      const [mean, variance] = [decodeTensor(answer, "movingMean", shape), decodeTensor(answer, "movingVariance", shape)];
      movingMean.set(mean.data);
      movingVariance.set(variance.data);
      return result;
    },
    async backward({ dy, pass, saved }) {
      const { channels } = pass.view;
      const answer = await running().request("backward", () => ({
        ...fieldsOf(pass),
        dy: encodeView(dy, pass.view),
        saved: saved.value,
        // Whether batch statistics normalized, and the gradient goes through them.
        training: pass.mode.normalizeWith === "batch",
        parameterGradients: pass.mode.parameterGradients,
      }));
      return {
        dx: decodeView(answer, "dx", pass),
        dgamma: decodeArrayOrNull(answer, "dgamma", channels),
        dbeta: decodeArrayOrNull(answer, "dbeta", channels),
      };
    },
  };
}

function fieldsOf({ config, state: { parameters, statistics }, x, view, mask, gradient }: HostPass): object {
  const { epsilon, momentum, varianceEstimator } = config;
  return {
    epsilon,
    momentum,
    varianceEstimator,
    x: encodeView(x, view),
    mask: mask === null ? null : encodeTensor(mask, [view.outer, view.inner]),
    gamma: encodeArray(parameters.gamma),
    beta: encodeArray(parameters.beta),
    movingMean: encodeArray(statistics.movingMean),
    movingVariance: encodeArray(statistics.movingVariance),
    gradient,
  };
}

/** Any tensor is sent as `[outer, channels, inner]` (clause 3.1): such an adapter needs to know of no axis. */
function encodeView(tensor: FloatTensor, { outer, channels, inner }: ChannelView): object {
  return encodeTensor(tensor, [outer, channels, inner]);
}

function decodeView(answer: Answer, name: string, { view: { outer, channels, inner }, shape, dtype }: HostPass): FloatTensor {
  return { ...decodeTensor(answer, name, [outer, channels, inner], dtype), shape };
}
