import { type BatchNormState, type ChannelView, defineBackend, type FloatTensor, type MaskTensor, type Pass } from "@batchnorm/spec";
import { defaultDevice, init, nn, numpy as np, vjp } from "@jax-js/jax";
import type { Peer } from "../peer.ts";

type HostPass = Pass<FloatTensor, BatchNormState, MaskTensor>;
type Array = np.Array;

/** The axes of `[outer, channels, inner]` that a statistic goes over. */
const OTHERS: [number, number] = [0, 2];

/** jax-js has no layer: this is its `nn.standardize`, with its own means and variances, differentiated by its own `vjp`. */
export const jaxJs: Peer = {
  name: "jax-js/wasm",
  title: "`nn.standardize` of jax-js",
  packages: ["@jax-js/jax"],
  runtime: "Node",
  claims: [
    "A function without a state: the moving average (of `np.mean` and `np.var`), freezing and all else that a layer has are written around it by us.",
    "x goes in as `[outer, channels, inner]`, which is a reshape, and is standardized over the axes 0 and 2; gradients are those of `vjp`. It has no masks.",
  ],
  open: async () => {
    await init("wasm");
    defaultDevice("wasm");
    return defineBackend({ name: "jax-js/wasm", infer, train, backward });
  },
};

async function infer(pass: HostPass): Promise<{ y: FloatTensor }> {
  return { y: await outputOf(pass, forward(pass, moving(pass))) };
}

async function train(pass: HostPass): Promise<{ y: FloatTensor }> {
  const { config, state, x } = pass;
  const y = await outputOf(pass, forward(pass, {}));
  const move = async (old: Float32Array, fresh: Array): Promise<void> => {
    const next = np
      .array(old.slice())
      .mul(config.momentum)
      .add(fresh.mul(1 - config.momentum));
    old.set((await next.data()) as Float32Array);
  };
  const input = viewed(x, pass.view);
  await move(state.statistics.movingMean, np.mean(input.ref, OTHERS));
  await move(state.statistics.movingVariance, np.var_(input, OTHERS));
  return { y };
}

async function backward({ dy, pass }: { readonly dy: FloatTensor; readonly pass: HostPass }) {
  const { state, mode, view, shape } = pass;
  const names = (["gamma", "beta"] as const).filter((name) => state.parameters[name] !== null);
  const apply = (x: Array, ...parameters: Array[]): Array => {
    const given = Object.fromEntries(names.map((name, k) => [name, parameters[k]]));
    return scaled(
      nn.standardize(x, OTHERS, { ...(mode.normalizeWith === "moving" && moving(pass)), epsilon: pass.config.epsilon }),
      given,
      view,
    );
  };
  const primals = [viewed(pass.x, view), ...names.map((name) => np.array(state.parameters[name]!.slice()))];
  const [y, pullback] = vjp(apply, primals);
  y.dispose();
  const [dx, ...others] = pullback(viewed(dy, view));
  const ofParameter = async (name: "gamma" | "beta"): Promise<FloatTensor | null> =>
    mode.parameterGradients && names.includes(name) ? { data: await dataOf(others[names.indexOf(name)]), shape: [view.channels] } : null;
  return { dx: { data: await dataOf(dx), shape }, dgamma: await ofParameter("gamma"), dbeta: await ofParameter("beta") };
}

function forward({ config, state, x, view }: HostPass, statistics: { readonly mean?: Array; readonly variance?: Array }): Array {
  const { gamma, beta } = state.parameters;
  const parameters = { ...(gamma && { gamma: np.array(gamma.slice()) }), ...(beta && { beta: np.array(beta.slice()) }) };
  return scaled(nn.standardize(viewed(x, view), OTHERS, { ...statistics, epsilon: config.epsilon }), parameters, view);
}

function scaled(xHat: Array, { gamma, beta }: { readonly gamma?: Array; readonly beta?: Array }, { channels }: ChannelView): Array {
  const product = gamma ? xHat.mul(gamma.reshape([1, channels, 1])) : xHat;
  return beta ? product.add(beta.reshape([1, channels, 1])) : product;
}

function moving({ state: { statistics }, view: { channels } }: HostPass): { mean: Array; variance: Array } {
  const like = (values: Float32Array): Array => np.array(values.slice()).reshape([1, channels, 1]);
  return { mean: like(statistics.movingMean), variance: like(statistics.movingVariance) };
}

function viewed({ data }: FloatTensor, { outer, channels, inner }: ChannelView): Array {
  // An empty typed array is refused by `np.array` (0.1.25), which says nothing about batch normalization.
  if (data.length === 0) return np.zeros([outer, channels, inner]);
  return np.array(data.slice()).reshape([outer, channels, inner]);
}

async function outputOf({ shape }: HostPass, y: Array): Promise<FloatTensor> {
  return { data: await dataOf(y), shape };
}

async function dataOf(array: Array): Promise<Float32Array> {
  return ((await array.data()) as Float32Array).slice();
}
