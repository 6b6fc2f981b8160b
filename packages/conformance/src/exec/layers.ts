import {
  type BackwardPass,
  type BatchNormState,
  type FloatTensor,
  type ForwardResult,
  type Gradients,
  type MaskTensor,
  maskShape,
  type Pass,
  type Store,
} from "@batchnorm/spec";
import type { AdapterProcess, Answer } from "./adapter-process.ts";
import { decodeArrayOrNull, decodeTensor, encodeArray, encodeTensor, type WireTensor } from "./wire.ts";

/** A layer that lives in an adapter's process, from its making to its end there. */
interface RemoteLayer {
  readonly id: number;
  readonly adapter: AdapterProcess;
  readonly channels: number;
  readonly has: { readonly gamma: boolean; readonly beta: boolean };
  /** Rejects where the adapter refused to make it: all that is asked of it fails in the same way. */
  readonly made: Promise<unknown>;
}

type Update = Parameters<Store<RemoteLayer, "async">["write"]>[1];
type RemotePass = Pass<FloatTensor, RemoteLayer, MaskTensor>;
type Request = (layer: RemoteLayer, op: string, fields?: () => object) => Promise<Answer>;

/** An adapter that holds layers: they keep parameters and statistics, and decide what training means while they are frozen. */
export function layersOf(running: () => AdapterProcess): {
  readonly store: Store<RemoteLayer, "async">;
  infer(pass: RemotePass): Promise<ForwardResult<FloatTensor, undefined>>;
  train(pass: RemotePass): Promise<ForwardResult<FloatTensor, undefined>>;
  backward(pass: BackwardPass<FloatTensor, RemoteLayer, undefined, MaskTensor>): Promise<Gradients<FloatTensor>>;
} {
  let layers = 0;
  const request: Request = async (layer, op, fields = () => ({})) => {
    await layer.made;
    return layer.adapter.request(op, () => ({ layer: layer.id, ...fields() }));
  };
  /** What training means is decided there, from what the caller said: `mode` is not sent. */
  const call = async ({ state: layer, config, x, dtype, shape, training, mask, gradient }: RemotePass) => {
    const fields = () => ({
      x: encodeTensor(x, shape),
      training,
      trainable: config.trainable,
      mask: mask === null ? null : encodeTensor(mask, maskShape(shape, config.axis)),
      gradient,
    });
    return { y: decodeTensor(await request(layer, "call", fields), "y", shape, dtype) };
  };
  return {
    infer: call,
    train: call,
    async backward({ dy, pass: { state: layer, dtype, shape, view } }) {
      const answer = await request(layer, "backward", () => ({ dy: encodeTensor(dy, shape) }));
      return {
        dx: decodeTensor(answer, "dx", shape, dtype),
        dgamma: decodeArrayOrNull(answer, "dgamma", view.channels),
        dbeta: decodeArrayOrNull(answer, "dbeta", view.channels),
      };
    },
    store: {
      create(state, config) {
        layers++;
        const id = layers;
        const adapter = running();
        const { axis, momentum, epsilon, center, scale, trainable, varianceEstimator } = config;
        const encoded = encodeState(state);
        const made = adapter.request("create", () => ({
          layer: id,
          config: { axis, momentum, epsilon, center, scale, trainable, varianceEstimator },
          state: encoded,
        }));
        // Whoever asks something of the layer hears of it.
        made.catch(() => {});
        return { id, adapter, channels: state.statistics.movingMean.length, has: { gamma: scale, beta: center }, made };
      },
      async read(layer) {
        const answer = await request(layer, "state");
        return decodeState(answer, layer);
      },
      async write(layer, update) {
        await request(layer, "setState", () => ({ state: encodeState(update) }));
      },
      async dispose(layer) {
        // What its process held ended with it.
        if (layer.adapter.end === null) await request(layer, "dispose");
      },
    },
  };
}

/** The fields that are there, and of them all in one object. */
function encodeState({ parameters, statistics }: BatchNormState | Update): Record<string, WireTensor | null> {
  const fields = Object.entries<Float32Array | null>({ ...parameters, ...statistics });
  return Object.fromEntries(fields.map(([name, array]) => [name, encodeArray(array)]));
}

function decodeState(answer: Answer, { channels, has }: RemoteLayer): BatchNormState {
  const read = (name: string): Float32Array => decodeTensor(answer, name, [channels]).data;
  return {
    parameters: { gamma: has.gamma ? read("gamma") : null, beta: has.beta ? read("beta") : null },
    statistics: { movingMean: read("movingMean"), movingVariance: read("movingVariance") },
  };
}
