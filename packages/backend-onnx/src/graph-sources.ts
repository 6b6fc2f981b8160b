import type { BatchNormConfig } from "@batchnorm/spec";
import type { Device } from "./device.ts";
import { backwardGraph, frozenBackwardGraph, type Through } from "./graph/backward-graph.ts";
import { inferenceGraph } from "./graph/inference-graph.ts";
import type { Layout } from "./graph/layout.ts";
import { trainingGraph } from "./graph/training-graph.ts";
import type { GraphSource } from "./sessions.ts";

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

/** A training step, by the operator where it is right and fast: on the CPU, channels first, without a mask. */
export function trainingSource({ device, layout, onGpu, config }: GraphOptions, masked: boolean): GraphSource {
  const byOperator = device.onHost && layout.name === "channels-first";
  const lowering = masked ? "masked" : byOperator ? "operator" : "composed";
  const { epsilon, varianceEstimator } = config;
  const stays = [...STATISTICS, ...(masked ? ["visible_out"] : [])];
  return {
    // Only the operator has epsilon in the graph, as an attribute.
    key: keyOf("training", layout, onGpu, lowering, varianceEstimator, lowering === "operator" ? epsilon : ""),
    onGpu: [...(onGpu ? ["y"] : []), ...(device.locations.includes("gpu-buffer") ? stays : [])],
    build: () => trainingGraph(layout, lowering, varianceEstimator, { epsilon }),
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
  return [kind, layout.name, onGpu ? "gpu" : "host", ...rest].join(" ");
}
