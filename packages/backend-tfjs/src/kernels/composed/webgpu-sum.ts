import type { Tensor, Tf } from "../../tf.ts";
import { runOnWebgpu, type WebgpuLike } from "./webgpu.ts";

/** How many terms one invocation adds. The error grows with this and with the number of passes (docs/spec.md, clause 12.3). */
const BLOCK = 32;

/**
 * The sum over the middle axis of `[before, length, after]`, which stays as a 1: sums of blocks, and their sums, until one is left.
 * tfjs's own sum has a workgroup for each result, which transposes the axis to the end first, and waits for itself at every halving
 * (tfjs-backend-webgpu 4.22): for the sums of 1e6 elements in blocks it took up to 50 times as long on SwiftShader.
 */
export function webgpuSum(tf: Tf, webgpu: WebgpuLike, elements: Tensor): Tensor {
  const [before, length, after] = elements.shape;
  if (length === 1) return elements;
  const sums = runOnWebgpu(tf, webgpu, {
    key: `sum/${BLOCK}`,
    inputs: { x: elements },
    outputShape: [before, Math.ceil(length / BLOCK), after],
    code: `
      let place = getCoordsFromIndex(index);
      let first = place[1] * ${BLOCK};
      let end = min(first + ${BLOCK}, uniforms.xShape[1]);
      var sum = 0.0;
      for (var k = first; k < end; k = k + 1) { sum = sum + getX(place[0], k, place[2]); }
      setOutputAtIndex(index, sum);
    `,
  });
  return webgpuSum(tf, webgpu, sums);
}
