import type { Elements, TensorView } from "../memory/elements.ts";
import { normalizePlain } from "../plain/normalize.ts";
import { sweepNormalize, wholeTensors } from "../simd/sweep.ts";
import { checkData, type Engine, memoryFor } from "./engine.ts";
import type { Normalizer } from "./normalizer.ts";

/**
 * y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, over `[outer, channels, inner]`; y may be x. Source: Ioffe and
 * Szegedy 2015, algorithm 1.
 *
 * @throws BatchNormError `data-length`.
 */
export function normalize(engine: Engine, x: Elements, y: Elements, view: TensorView, normalizer: Normalizer): void {
  checkData("x", x, view);
  checkData("y", y, view);
  const memory = memoryFor(engine, x.length);
  const float32 = memory && normalizer.float32();
  if (memory === null || float32 === null) normalizePlain(x, y, view, normalizer.mean, normalizer.slope, normalizer.offset);
  else sweepNormalize(wholeTensors(memory, view, x, null, y), x, 0, view.channels, float32);
}
