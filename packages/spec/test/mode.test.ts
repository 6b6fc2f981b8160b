import { expect, test } from "vitest";
import { decideMode } from "../src/index.ts";

test.for<[training: boolean, trainable: boolean, normalizeWith: string, updateStatistics: boolean, parameterGradients: boolean]>([
  [false, true, "moving", false, true],
  [true, true, "batch", true, true],
  [true, false, "moving", false, false],
  [false, false, "moving", false, false],
])(
  "training %s, trainable %s: %s, updates %s, gradients %s",
  ([training, trainable, normalizeWith, updateStatistics, parameterGradients]) => {
    const mode = decideMode(training, trainable);
    expect(mode).toEqual({ normalizeWith, updateStatistics, parameterGradients });
    expect(Object.isFrozen(mode)).toBe(true);
  },
);
