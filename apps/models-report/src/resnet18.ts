import { Models } from "../../../packages/onnx-model/test/model-builder.ts";

/**
 * ResNet-18 (He et al. 2015, table 1) of any width, weights out of a sequence: how long it takes does not depend on what
 * they are. `[N, 3, size, size]` to `[N, 10]`.
 */
export function resnet18(width: number, size: number): Uint8Array {
  const models = new Models();
  let state = 1;
  const numbers = (count: number, scale: number, offset: number = 0): Float32Array =>
    Float32Array.from({ length: count }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return offset + scale * (state / 2 ** 31 - 1);
    });
  const norm = (x: string, channels: number): string => {
    const array = (scale: number, offset: number): string => models.float(numbers(channels, scale, offset));
    return models.op("BatchNormalization", [x, array(0.2, 1), array(0.2, 0), array(0.2, 0), array(0.2, 1)]);
  };
  const conv = (x: string, before: number, channels: number, kernel: number, stride: number): string => {
    const fan = before * kernel ** 2;
    const weight = models.float(numbers(channels * fan, Math.sqrt(6 / fan)), [channels, before, kernel, kernel]);
    const pad = kernel >> 1;
    return models.op("Conv", [x, weight], { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad] });
  };
  const image = models.input("image", ["N", 3, size, size]);
  let x = models.op("Relu", [norm(conv(image, 3, width, 7, 2), width)]);
  x = models.op("MaxPool", [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  let before = width;
  for (let block = 0; block < 8; block++) {
    const channels = width << (block >> 1);
    const stride = channels === before ? 1 : 2;
    const inner = models.op("Relu", [norm(conv(x, before, channels, 3, stride), channels)]);
    const hidden = norm(conv(inner, channels, channels, 3, 1), channels);
    const shortcut = stride === 1 ? x : norm(conv(x, before, channels, 1, stride), channels);
    x = models.op("Relu", [models.op("Add", [hidden, shortcut])]);
    before = channels;
  }
  const pooled = models.op("Flatten", [models.op("GlobalAveragePool", [x])]);
  models.op("Gemm", [pooled, models.float(numbers(before * 10, 0.1), [before, 10])], {}, "y");
  return models.output("y", ["N", 10]).bytes();
}
