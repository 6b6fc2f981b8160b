import { BatchNormError } from "@batchnorm/spec";
import type { Moments } from "@batchnorm/spec/moments";
import { type OnnxModel, writeModel } from "../file/model.ts";

/** The moments of one layer as plain data: JSON keeps every bit of a finite float64. */
export interface LayerMoments {
  readonly name: string;
  readonly count: number;
  readonly mean: readonly number[];
  readonly centeredSum: readonly number[];
}

export function toLayerMoments(name: string, { count, mean, centeredSum }: Moments): LayerMoments {
  return { name, count, mean: [...mean], centeredSum: [...centeredSum] };
}

export function fromLayerMoments({ count, mean, centeredSum }: LayerMoments): Moments {
  return { count, mean: Float64Array.from(mean), centeredSum: Float64Array.from(centeredSum) };
}

/** What is wrong with layers that were read from JSON; null for nothing. */
export function faultOfLayers(layers: unknown): { readonly what: string; readonly received: unknown } | null {
  if (!Array.isArray(layers)) return { what: "layers", received: layers };
  for (const layer of layers) {
    const { name, count, mean, centeredSum } = (layer ?? {}) as Record<string, unknown>;
    if (typeof name !== "string" || !Number.isSafeInteger(count) || (count as number) < 0)
      return { what: "a layer's name or count", received: layer };
    if (!isNumbers(mean) || !isNumbers(centeredSum) || mean.length !== centeredSum.length)
      return { what: `the numbers of ${name}`, received: layer };
  }
  return null;
}

function isNumbers(list: unknown): list is number[] {
  return Array.isArray(list) && list.length > 0 && list.every(Number.isFinite);
}

/** Refuses moments that JSON does not hold and no layer can use, as soon as a batch gives them. */
export function checkFinite(layer: string, batch: number, { mean, centeredSum }: Moments): void {
  const channel = mean.findIndex((value, c) => !Number.isFinite(value) || !Number.isFinite(centeredSum[c]));
  if (channel < 0) return;
  const what = `Batch ${batch} of the data gives no usable mean and variance of channel ${channel} of the layer ${layer}`;
  throw new BatchNormError("non-finite", what, [mean[channel], centeredSum[channel]], "finite numbers");
}

/** SHA-256 of the model's own bytes; data in files beside it is known by where it lies. */
export async function modelHash(model: OnnxModel): Promise<string> {
  const bytes = Uint8Array.from(writeModel(model));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
