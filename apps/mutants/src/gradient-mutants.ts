import { CORRECT, type HostLayer, override } from "@batchnorm/reference";
import type { FloatTensor, Gradients } from "@batchnorm/spec";
import { float32Formulas } from "./float32.ts";
import type { Mutant } from "./mutant.ts";
import { calculating, creating, declaring, summing, wrapping } from "./wrap.ts";

/** Wrong gradients, and gradients of a wrong pass. */
export const GRADIENT_MUTANTS: readonly Mutant[] = [
  calculating("gradient-past-statistics", "takes the batch statistics for constants in the gradient", ["10.1"], { through: () => 0 }),
  calculating("gradient-through-mean-only", "leaves the variance out of the gradient", ["10.1"], {
    through: ({ dbeta }, _xHat, n, visible) => (n === null || !visible ? 0 : dbeta / n),
  }),
  calculating("inference-gradient-through-statistics", "takes the moving statistics for the batch's in the gradient", ["10.2"], {
    through: ({ dgamma, dbeta }, xHat, _n, _visible, all) => (dbeta + xHat * dgamma) / all,
  }),
  calculating("dgamma-of-x", "multiplies dy with x, not with the normalized x", ["10.3"], {
    sums: (dy, x) => ({
      dgamma: dy.reduce((total, each, j) => total + each * x[j], 0),
      dbeta: dy.reduce((total, each) => total + each, 0),
    }),
  }),
  calculating(
    "dgamma-from-the-output",
    "recovers the normalized x from the output, where a gamma of 0 erased it (in-place layers)",
    ["10.3"],
    {
      sums: (dy, x, mean, inverse, gamma) => {
        const sums = CORRECT.sums(dy, x, mean, inverse, gamma);
        return gamma === 0 ? { ...sums, dgamma: 0 } : sums;
      },
    },
  ),
  summing("running-gradient-sums", "adds up the gradients of a whole channel in float32, one element after another", ["12.5"], {
    ...float32Formulas(),
    sums: float32Formulas({ block: Number.POSITIVE_INFINITY }).sums,
  }),
  calculating("frozen-learns", "gives a frozen layer gradients for gamma and beta", ["10.4"], { learns: () => true }),
  calculating("gradient-through-hidden", "lets hidden elements take part in the statistics' gradient", ["10.5"], {
    through: ({ dgamma, dbeta }, xHat, n) => (n === null ? 0 : (dbeta + xHat * dgamma) / n),
  }),
  calculating("gradient-n-of-all", "divides by the number of all elements, hidden ones included", ["10.5"], {
    through: ({ dgamma, dbeta }, xHat, n, visible, all) => (n === null || !visible ? 0 : (dbeta + xHat * dgamma) / all),
  }),
  calculating("gradient-of-absent-parameter", "gives a gradient for a gamma that is off", ["10.6"], { has: () => true }),
  wrapping("backward-from-anywhere", "gives zeros where there was no forward pass", ["10.7"], (layer) =>
    override(layer, {
      backward: (dy, options) => {
        try {
          return layer.backward(dy, options);
        } catch {
          return { dx: { data: new Float32Array(dy.data.length), shape: dy.shape }, dgamma: null, dbeta: null };
        }
      },
    }),
  ),
  wrapping("pass-kept-unasked", "keeps every pass for backward, wanted or not", ["10.7"], (layer) =>
    override(layer, { call: (x, options) => layer.call(x, { ...options, gradient: true }) }),
  ),
  creating("scratch-shared", "keeps what backward needs in memory that all layers share", ["10.7"], (create) => {
    let latest: HostLayer<"sync"> | null = null;
    return (config, state) => {
      const layer = create(config, state);
      return override(layer, {
        call: (x, options) => {
          latest = layer;
          return layer.call(x, options);
        },
        backward: (dy, options) => (latest ?? layer).backward(dy, options),
      });
    };
  }),
  declaring("output-needed", "differentiates with the output, which is the caller's to release", ["10.7"], (backend) => {
    const released = new WeakSet<FloatTensor>();
    const create: typeof backend.create = (config, state) => {
      const layer = backend.create(config, state);
      let last: FloatTensor | null = null;
      return override(layer, {
        call: (x, options) => {
          last = layer.call(x, options);
          return last;
        },
        backward: (dy, options) => {
          if (last !== null && released.has(last)) throw new Error("The tensor is disposed.");
          return layer.backward(dy, options);
        },
      });
    };
    return { ...backend, create, release: (tensor: FloatTensor) => void released.add(tensor) };
  }),
  wrapping(
    "backward-moves",
    "runs the forward pass again in backward, and its update of the statistics with it (checkpointing)",
    ["10.1"],
    (layer) => {
      let again = (): void => {};
      return override(layer, {
        call: (x, options) => {
          again = () => void layer.call(x, { ...options, out: null });
          return layer.call(x, options);
        },
        backward: (dy, options) => {
          const gradients = layer.backward(dy, options);
          again();
          return gradients;
        },
      });
    },
  ),
  wrapping("gradients-accumulate", "adds every gradient to those before it (PyTorch's .grad)", ["10.7"], (layer) => {
    let total: Float32Array | null = null;
    return override(layer, {
      backward: (dy, options) => {
        const gradients = layer.backward(dy, options);
        if (gradients.dgamma === null) return gradients;
        const before = total;
        total = gradients.dgamma.data.map((value, c) => value + (before?.[c] ?? 0));
        return { ...gradients, dgamma: { data: total, shape: gradients.dgamma.shape } };
      },
    });
  }),
  wrapping("gradient-kept", "computes the gradient of a pass once, whatever dy is next", ["10.7"], (layer) => {
    let kept: Gradients<FloatTensor> | null = null;
    return override(layer, {
      call: (x, options) => {
        const y = layer.call(x, options);
        kept = null;
        return y;
      },
      backward: (dy, options) => {
        kept ??= layer.backward(dy, options);
        return kept;
      },
    });
  }),
  wrapping("freeze-reaches-back", "asks at backward whether the layer is frozen, not at the call", ["4.3"], (layer) =>
    override(layer, {
      backward: (dy, options) => ({ ...layer.backward(dy, options), ...(!layer.config.trainable && { dgamma: null, dbeta: null }) }),
    }),
  ),
  wrapping("refusal-drops-pass", "forgets the last pass when a call is refused", ["14.1"], (layer) =>
    override(layer, {
      call: (x, options) => {
        try {
          return layer.call(x, options);
        } catch (error) {
          layer.setState({});
          throw error;
        }
      },
    }),
  ),
  wrapping("backward-out-ignored", "returns a fresh gradient whatever out says", ["17.4"], (layer) =>
    override(layer, { backward: (dy) => layer.backward(dy) }),
  ),
];
