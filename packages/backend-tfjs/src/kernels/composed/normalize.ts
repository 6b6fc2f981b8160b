import type { ChannelView } from "@batchnorm/spec";
import type { Tensor, Tf } from "../../tf.ts";
import type { NormalizeInputs } from "../arithmetic.ts";
import { isWebgpu } from "./webgpu.ts";
import { type Spread, webgpuNormalize } from "./webgpu-normalize.ts";

/**
 * tfjs's own op, which is one kernel on a device; on webgpu a kernel of ours. Its parameters are spread over x by broadcasting; of tfjs 4.22's
 * backends only cpu and wasm index them cyclically instead, and those have loops of ours.
 */
export function normalize(
  tf: Tf,
  { x, mean, variance, gamma, beta, downscale }: NormalizeInputs<Tensor>,
  view: ChannelView,
  epsilon: number,
): Tensor {
  // Up to rank 4 the op takes x as it is, where a reshape could cost a pass on webgl.
  const elements = x.rank <= 4 ? x : tf.reshape(x, [view.outer, view.channels, view.inner]);
  const perChannel = broadcastShape(elements.shape, view);
  const spread = (tensor: Tensor): Tensor => (perChannel.length === 1 ? tensor : tf.reshape(tensor, perChannel));
  const offset = beta && spread(beta);
  // tfjs 4.22 writes epsilon into the shader of webgl as JavaScript prints it: 4294967296 is no int of GLSL, nor a
  // float.
  const literal = downscale !== undefined || (Number.isInteger(epsilon) && epsilon >= 2 ** 31) ? 0 : epsilon;
  const shifted = literal === epsilon ? variance : tf.add(variance, downscaled(tf, epsilon, downscale));
  const scale = downscale === undefined ? gamma : gamma === undefined ? downscale : tf.mul(gamma, downscale);
  const spreadOut = { x: elements, mean: spread(mean), variance: spread(shifted), offset, scale: scale && spread(scale) };
  const backend = tf.backend();
  const y = isWebgpu(backend)
    ? webgpuNormalize(tf, backend, spreadOut, literal)
    : batchNorm(tf, centred(tf, spreadOut, downscale), literal);
  return elements === x ? y : tf.reshape(y, x.shape);
}

/**
 * x and mean as `tf.batchNorm` can take them. Where that computes x * r - mean * r, both are infinite on a constant channel of 3e38. A
 * batch's own mean is then taken off first, for one more pass; a moving one is not, since inference would take twice its time.
 */
function centred(tf: Tf, operands: Spread, downscale: Tensor | undefined): Spread {
  // The packed shader of webgl subtracts first (tfjs 4.22), and is the one in use but where packing is turned off.
  const subtractsFirst = tf.getBackend() === "webgl" && tf.env().getBool("WEBGL_PACK_NORMALIZATION");
  if (downscale === undefined || subtractsFirst) return operands;
  return { ...operands, x: tf.sub(operands.x, operands.mean), mean: tf.zerosLike(operands.mean) };
}

/** 1 / sqrt(variance + epsilon), `[channels]`, of a variance that may be scaled down (see `Operands`). */
export function inverseDeviationOf(tf: Tf, variance: Tensor, downscale: Tensor | undefined, epsilon: number): Tensor {
  const inverse = tf.rsqrt(tf.add(variance, downscaled(tf, epsilon, downscale)));
  return downscale === undefined ? inverse : tf.mul(inverse, downscale);
}

/** epsilon in the unit of a variance; beside one that had to be scaled down it may vanish. */
function downscaled(tf: Tf, epsilon: number, downscale: Tensor | undefined): Tensor | number {
  return downscale === undefined ? epsilon : tf.mul(tf.mul(downscale, epsilon), downscale);
}

/**
 * The shape that broadcasts `[channels]` over the channel axis: that axis and those after it, which have `inner`
 * elements.
 */
function broadcastShape(shape: readonly number[], { channels, inner }: ChannelView): number[] {
  const trailing: number[] = [];
  for (let size = 1, axis = shape.length - 1; size < inner || shape[axis] !== channels; axis--) {
    size *= shape[axis];
    trailing.push(1);
  }
  return [channels, ...trailing];
}

/** `tf.batchNorm` types the ranks of its parameters more narrowly than it takes them. */
function batchNorm(tf: Tf, { x, mean, variance, offset, scale }: Spread, epsilon: number): Tensor {
  return (tf.batchNorm as unknown as (...operands: unknown[]) => Tensor)(x, mean, variance, offset, scale, epsilon);
}
