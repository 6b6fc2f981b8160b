import type { Tensor, Tf } from "../../tf.ts";
import type { Arithmetic } from "../arithmetic.ts";
import { gradients } from "./gradients.ts";
import { maskedMoments, moments } from "./moments.ts";
import { normalize } from "./normalize.ts";

/** The arithmetic out of tfjs's ops, for every backend whose tensors lie on a device: webgl, webgpu, node's. Sums are float32. */
export function composedArithmetic(tf: Tf): Arithmetic<Tensor> {
  return {
    moments(x, view, masked) {
      return masked === null ? moments(tf, x, view) : maskedMoments(tf, x, view, masked.mask, masked.moving);
    },
    normalize(x, view, normalizer, gamma, beta, epsilon) {
      // A device cannot run over nothing.
      if (x.size === 0) return tf.clone(x);
      return normalize(tf, x, view, normalizer, gamma, beta, epsilon);
    },
    gradients(dy, view, operands, epsilon, ofParameters) {
      if (dy.size > 0) return gradients(tf, dy, view, operands, epsilon, ofParameters);
      const nothing = (): Tensor => tf.zeros([view.channels]);
      return { dx: tf.clone(dy), parameters: ofParameters ? { dgamma: nothing(), dbeta: nothing() } : null };
    },
  };
}
