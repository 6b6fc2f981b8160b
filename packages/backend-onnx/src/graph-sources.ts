import type { BatchNormConfig } from "@batchnorm/spec";
import type { Device } from "./device.ts";
import { backwardGraph, frozenBackwardGraph, type Through } from "./graph/backward-graph.ts";
import { inferenceGraph } from "./graph/inference-graph.ts";
import type { Layout } from "./graph/layout.ts";
import type { Range } from "./graph/moments.ts";
import { trainingGraph } from "./graph/training-graph.ts";
import type { GraphSource, Tensors } from "./sessions.ts";

/** What a call needs of the graph that it runs. */
export interface GraphOptions {
  readonly device: Device;
  readonly layout: Layout;
  /** Whether x, and so the output, lies on the GPU. */
  readonly onGpu: boolean;
  readonly config: BatchNormConfig;
}

/** Inference: by the operator wherever the arrangement lets it. */
export function inferenceSource({ layout, onGpu, config: { epsilon } }: GraphOptions): GraphSource {
  const lowering = layout.name === "channels-last" ? "multiply-add" : "operator";
  return {
    key: keyOf("inference", layout, onGpu, lowering, epsilon),
    onGpu: onGpu ? ["y"] : [],
    build: () => inferenceGraph(layout, lowering, epsilon),
  };
}

/**
 * A training step. On a GPU it reckons with squares that overflow from the start, since nothing is read back there;
 * on the CPU it runs again where they did.
 */
export function trainingSource(options: GraphOptions, masked: boolean): GraphSource {
  const wide = trainingSourceOf(options, masked, "wide");
  if (!options.device.onHost) return wide;
  const overflowed = ({ statistics_out: statistics }: Tensors): boolean => !(statistics.data as Float32Array).every(Number.isFinite);
  return { ...trainingSourceOf(options, masked, "narrow"), again: { source: wide, when: overflowed } };
}

function trainingSourceOf({ device, layout, onGpu, config }: GraphOptions, masked: boolean, range: Range): GraphSource {
  const { varianceEstimator: estimator } = config;
  const stays = [...STATISTICS, ...(masked ? ["visible_out"] : [])];
  return {
    key: keyOf("training", layout, onGpu, masked ? "masked" : "", estimator, range),
    onGpu: [...(onGpu ? ["y"] : []), ...(device.locations.includes("gpu-buffer") ? stays : [])],
    build: () => trainingGraph(layout, { masked, estimator, range }),
  };
}

const STATISTICS: readonly string[] = ["statistics_out", "normalizer_out"];

/** The gradients; `frozen` gives that of x alone. */
export function backwardSource({ layout, onGpu }: GraphOptions, through: Through | "frozen"): GraphSource {
  const outputs = through === "frozen" ? ["dx"] : ["dx", "dgamma", "dbeta"];
  return {
    key: keyOf("backward", layout, onGpu, through),
    onGpu: onGpu ? outputs : [],
    build: () => (through === "frozen" ? frozenBackwardGraph(layout) : backwardGraph(layout, through)),
  };
}

function keyOf(kind: string, layout: Layout, onGpu: boolean, ...rest: readonly (string | number)[]): string {
  return [kind, layout.key, onGpu ? "gpu" : "host", ...rest].join(" ");
}
