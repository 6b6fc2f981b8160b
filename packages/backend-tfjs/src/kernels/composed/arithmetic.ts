import type { Tensor, Tf } from "../../tf.ts";
import type { Arithmetic } from "../arithmetic.ts";
import { gradients } from "./gradients.ts";
import { maskedMoments, moments } from "./moments.ts";
import { movingAverage } from "./moving-average.ts";
import { normalize } from "./normalize.ts";

/** The arithmetic out of tfjs's ops, for every backend whose tensors lie on a device: webgl, webgpu, node's. Sums are float32. */
export function composedArithmetic(tf: Tf): Arithmetic<Tensor> {
  return {
    train({ x, mask, gamma, beta, ...moving }, attributes) {
      const { view, epsilon } = attributes;
      // What it makes of the size of x is freed before there is a y.
      const statistics = tf.tidy(() => (mask === undefined ? moments(tf, x, view) : maskedMoments(tf, x, view, { mask, ...moving })));
      const [mean, variance, remainder, downscale, count] = statistics;
      const next = movingAverage(tf, { ...moving, mean, variance, downscale, count }, attributes);
      const y = normalize(tf, { x, mean, variance, remainder, downscale, gamma, beta }, view, epsilon);
      return attributes.wantsStatistics ? [y, ...next, ...statistics] : [y, ...next];
    },
    normalize(inputs, { view, epsilon }) {
      // A device cannot run over nothing.
      return [inputs.x.size === 0 ? tf.clone(inputs.x) : normalize(tf, inputs, view, epsilon)];
    },
    gradients(inputs, attributes) {
      if (inputs.dy.size > 0) return gradients(tf, inputs, attributes);
      const nothing = (): Tensor => tf.zeros([attributes.view.channels]);
      return attributes.ofParameters ? [tf.clone(inputs.dy), nothing(), nothing()] : [tf.clone(inputs.dy)];
    },
  };
}
