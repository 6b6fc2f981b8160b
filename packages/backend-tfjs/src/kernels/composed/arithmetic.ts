import type { Tensor, Tf } from "../../tf.ts";
import type { Arithmetic } from "../arithmetic.ts";
import { gradients } from "./gradients.ts";
import { maskedMoments, moments } from "./moments.ts";
import { movingAverage } from "./moving-average.ts";
import { normalize } from "./normalize.ts";

/** The arithmetic out of tfjs's ops, for every backend whose tensors lie on a device: webgl, webgpu, node's. Sums are float32. */
export function composedArithmetic(tf: Tf): Arithmetic<Tensor> {
  return {
    moments(inputs, { view }) {
      return inputs.mask === undefined ? moments(tf, inputs.x, view) : maskedMoments(tf, { ...inputs, mask: inputs.mask }, view);
    },
    movingAverage: (inputs, attributes) => movingAverage(tf, inputs, attributes),
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
