import type { ChannelView } from "@batchnorm/spec";
import type { Tensor, Tf } from "../../tf.ts";
import type { NormalizeInputs } from "../arithmetic.ts";

/**
 * tfjs's own op, which is one kernel on a device. Its parameters are spread over x by broadcasting; of tfjs 4.22's
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
  // The op of a device takes x * r - mean * r, and both are infinite on a constant channel of 3e38. A batch's own mean is taken off
  // first, for one more pass; moving statistics are not, since inference would take twice its time.
  const [centred, origin] = downscale === undefined ? [elements, mean] : [tf.sub(elements, spread(mean)), tf.zerosLike(mean)];
  const y = batchNorm(tf, centred, spread(origin), spread(shifted), offset, scale && spread(scale), literal);
  return elements === x ? y : tf.reshape(y, x.shape);
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
function batchNorm(
  tf: Tf,
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  offset: Tensor | undefined,
  scale: Tensor | undefined,
  epsilon: number,
): Tensor {
  return (tf.batchNorm as unknown as (...operands: unknown[]) => Tensor)(x, mean, variance, offset, scale, epsilon);
}
