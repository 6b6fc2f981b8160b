import type { Mode } from "./contract.ts";

const TRAINING: Mode = Object.freeze({ normalizeWith: "batch", updateStatistics: true, parameterGradients: true });
const INFERENCE: Mode = Object.freeze({ normalizeWith: "moving", updateStatistics: false, parameterGradients: true });
const FROZEN: Mode = Object.freeze({ normalizeWith: "moving", updateStatistics: false, parameterGradients: false });

/**
 * The mode of a call, decided here and nowhere else:
 *
 * | training | trainable      | normalizes with | statistics | gamma, beta get gradients |
 * |----------|----------------|-----------------|------------|---------------------------|
 * | false    | true           | moving          | unchanged  | yes                       |
 * | true     | true           | batch           | updated    | yes                       |
 * | true     | false (frozen) | moving          | unchanged  | no                        |
 * | false    | false (frozen) | moving          | unchanged  | no                        |
 *
 * Source: Keras 3, `BatchNormalization`, "About setting layer.trainable = False".
 */
export function decideMode(training: boolean, trainable: boolean): Mode {
  if (!trainable) return FROZEN;
  return training ? TRAINING : INFERENCE;
}
