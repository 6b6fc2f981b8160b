import { type BatchNormError, isBatchNormError } from "@batchnorm/spec";
import { expect } from "vitest";
import type { WeightLayer } from "../src/index.ts";
import type { TrueLayer } from "./files.ts";

const rounded = (values: readonly number[] | null): Float32Array | null => values && Float32Array.from(values);

/** The values of a layer are, bit for bit, those that its framework has. */
export function expectValues(layer: WeightLayer, truth: TrueLayer): void {
  if (layer.state === null) throw layer.reason;
  expect(layer.state.parameters).toEqual({ gamma: rounded(truth.gamma), beta: rounded(truth.beta) });
  expect(layer.state.statistics).toEqual({ movingMean: rounded(truth.movingMean), movingVariance: rounded(truth.movingVariance) });
}

/** So are name, values and config of all layers, in this order. */
export function expectLayers(layers: readonly WeightLayer[], truth: readonly TrueLayer[]): void {
  expect(layers.map(({ name }) => name)).toEqual(truth.map(({ name }) => name));
  expect(new Set(layers.map(({ path }) => path)).size).toBe(layers.length);
  for (const [index, layer] of layers.entries()) {
    expectValues(layer, truth[index]);
    expect(layer.config).toMatchObject(truth[index].config ?? {});
  }
}

/** The error that an action throws or rejects with; it is one of ours. */
export async function refusalOf(action: () => unknown): Promise<BatchNormError> {
  try {
    await action();
  } catch (error) {
    if (isBatchNormError(error)) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}
