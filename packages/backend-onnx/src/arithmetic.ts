import { type Arithmetic, elementsPerChannel, type Pass, sizeOf } from "@batchnorm/spec";
import type { Tensor } from "onnxruntime-common";
import { type Arrangement, arrange, arrangeForOperator, arrangeForSums, type Target } from "./arrangement.ts";
import type { Device } from "./device.ts";
import type { Through } from "./graph/backward-graph.ts";
import { scalarsOf } from "./graph/inputs.ts";
import type { FloatDType } from "./graph/layout.ts";
import { backwardSource, inferenceSource, trainingSource } from "./graph-sources.ts";
import type { OrtRuntime } from "./runtime.ts";
import type { Tensors } from "./sessions.ts";
import { type LayerState, replaceStatistics } from "./store.ts";
import { hostTensor, isOnGpu, maskOf, reshaped, viewOf, zeros } from "./tensors.ts";

/** What a training step keeps for its backward pass; inference keeps nothing. */
export interface Saved {
  /** What the backward graph needs of the statistics that normalized; see `PARTS` in graph/inputs.ts. */
  readonly normalizer: Tensor;
  /** Under a mask, the mask as the graph takes it and the number of elements that it shows. */
  readonly visible: { readonly mask: Tensor; readonly count: Tensor } | null;
}

type OnnxPass = Pass<Tensor, LayerState>;
type OnnxArithmetic = Required<
  Pick<Arithmetic<Tensor, "async", LayerState, Saved, Tensor>, "infer" | "train" | "backward" | "releaseSaved">
>;

/**
 * The arithmetic of the contract in operators of the runtime, with float32 sums.
 *
 * What comes in on a GPU (`gpu-buffer`) goes out there, what comes in on the host goes out on the host. A pass keeps x
 * by reference for `backward`.
 */
export function ortArithmetic(ort: OrtRuntime, device: Device): OnnxArithmetic {
  const targetOf = (dtype: string): Target => ({ ...device, dtype: dtype as FloatDType });
  /** A tensor as the arrangement has it. */
  const arranged = (tensor: Tensor, { shape }: Arrangement): Tensor => viewOf(ort, tensor, shape);
  /** The vectors that its layout wants besides. */
  const integers = (arrangement: Arrangement): Tensors => {
    const vectors = Object.entries(arrangement.integers).map(([name, numbers]) => [
      name,
      new ort.Tensor("int64", BigInt64Array.from(numbers, BigInt), [numbers.length]),
    ]);
    return Object.fromEntries(vectors);
  };
  const scalars = ({ config, view }: OnnxPass): Tensor => {
    const numbers = scalarsOf(config, elementsPerChannel(view));
    return hostTensor(ort, numbers, [numbers.length]);
  };

  return {
    async infer({ config, state: { parameters, statistics, sessions }, x, dtype, shape, view }) {
      // The runtime is not asked: its operators are not of one mind about tensors without elements.
      if (sizeOf(shape) === 0) return { y: zeros(ort, shape, dtype) };
      // The operator is slow on channels last on the CPU, and only there: docs/decisions/2026-11-22-onnx-lowering.md.
      const arrangement = device.onHost ? arrange(view, targetOf(dtype)) : arrangeForOperator(view, targetOf(dtype));
      const source = inferenceSource({ device, layout: arrangement.layout, onGpu: isOnGpu(x), config });
      const feeds = { x: arranged(x, arrangement), ...integers(arrangement), parameters, statistics };
      const { y } = await sessions.run(source, feeds, ["y"]);
      return { y: reshaped(ort, y, shape) };
    },

    async train(pass) {
      const { config, state, x, dtype, shape, view, gradient } = pass;
      const { parameters, statistics, sessions } = state;
      const arrangement = arrangeForSums(view, targetOf(dtype));
      const mask = pass.mask === null ? null : maskOf(ort, pass.mask, arrangement.maskShape);
      const source = trainingSource({ device, layout: arrangement.layout, onGpu: isOnGpu(x), config }, mask !== null);
      const feeds = {
        x: arranged(x, arrangement),
        ...(mask && { mask }),
        ...integers(arrangement),
        parameters,
        statistics,
        scalars: scalars(pass),
      };
      const kept = gradient ? ["normalizer_out", ...(mask ? ["visible_out"] : [])] : [];
      const outputs = await sessions.run(source, feeds, ["y", "statistics_out", ...kept]);
      const saved: Saved = { normalizer: outputs.normalizer_out, visible: mask && { mask, count: outputs.visible_out } };
      const result = { y: reshaped(ort, outputs.y, shape), saved: gradient ? saved : undefined };
      replaceStatistics(state, outputs.statistics_out);
      return result;
    },

    async backward({ dy, pass, saved }) {
      const { config, state, x, dtype, shape, view, mode } = pass;
      const { channels, has, parameters, statistics, sessions } = state;
      const dgammaWanted = mode.parameterGradients && has.gamma;
      const dbetaWanted = mode.parameterGradients && has.beta;
      if (sizeOf(shape) === 0) {
        const none = (wanted: boolean): Tensor | null => (wanted ? zeros(ort, [channels]) : null);
        return { dx: zeros(ort, shape, dtype), dgamma: none(dgammaWanted), dbeta: none(dbetaWanted) };
      }
      const arrangement = arrangeForSums(view, targetOf(dtype));
      const through = throughOf(pass);
      // The moving statistics are still those of the pass: a step that moves them would have taken its place.
      const normalizedWith = mode.normalizeWith === "batch" ? normalizerFeeds(saved) : { statistics };
      const feeds = {
        dy: arranged(dy, arrangement),
        ...(through !== "frozen" && { x: arranged(x, arrangement) }),
        ...integers(arrangement),
        parameters,
        scalars: scalars(pass),
        ...normalizedWith,
      };
      const source = backwardSource({ device, layout: arrangement.layout, onGpu: isOnGpu(dy), config }, through);
      // Only what is wanted, since what is not given to the caller would stay on the GPU for good.
      const outputs = ["dx", ...(dgammaWanted ? ["dgamma"] : []), ...(dbetaWanted ? ["dbeta"] : [])];
      const { dx, dgamma = null, dbeta = null } = await sessions.run(source, feeds, outputs);
      return { dx: reshaped(ort, dx, shape), dgamma, dbeta };
    },

    releaseSaved({ normalizer, visible }) {
      normalizer.dispose();
      visible?.count.dispose();
    },
  };
}

/** What the backward graph of a training step is given of it. */
function normalizerFeeds({ normalizer, visible }: Saved): Tensors {
  return visible === null ? { normalizer } : { normalizer, mask: visible.mask, visible: visible.count };
}

/** What the gradients of a pass flow through. */
function throughOf({ mode, mask }: OnnxPass): Through | "frozen" {
  if (mode.normalizeWith === "batch") return mask === null ? "batch" : "visible";
  return mode.parameterGradients ? "moving" : "frozen";
}
