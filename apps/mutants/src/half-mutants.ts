import {
  CORRECT,
  type Formulas,
  fromBits,
  override,
  referenceArithmetic,
  referenceBackend,
  rounded,
  toBits,
  visibleValues,
} from "@batchnorm/reference";
import { BatchNormError, type FloatTensor, type HostTensor, hostTensors } from "@batchnorm/spec";
import { fromFloat16, type HalfDType, halfBits, toFloat16 } from "@batchnorm/spec/half";
import type { Mutant } from "./mutant.ts";
import { computing, declaring, halving, handling, wrapping } from "./wrap.ts";

/** Formulas that are wrong on half precision alone. */
function wrongly(formulas: (dtype: HalfDType) => Partial<Formulas>): {
  arithmetic(dtype: HalfDType): ReturnType<typeof referenceArithmetic>;
} {
  return { arithmetic: (dtype) => referenceArithmetic(formulas(dtype)) };
}

/** A sum whose every step is rounded. */
function halfSum(values: readonly number[], dtype: HalfDType): number {
  return values.reduce((total, value) => rounded(total + value, dtype), 0);
}

const isHalf = ({ dtype }: { readonly dtype?: string | undefined }): boolean => dtype === "float16" || dtype === "bfloat16";
/** Wrong in half precision, and right in float32. */
export const HALF_MUTANTS: readonly Mutant[] = [
  wrapping("half-of-nothing", "cannot normalize an empty batch in half precision", ["13.3"], (layer) =>
    override(layer, {
      call(x, options) {
        if (x?.data?.length === 0 && isHalf(x)) throw new RangeError("Invalid typed array length: 0");
        return layer.call(x, options);
      },
    }),
  ),
  computing("half-gradient-over-dy", "reads dy where it has written dx over it, in half precision", ["17.4"], ({ backward }) => ({
    backward(given) {
      const gradients = backward(given);
      if (given.out?.data === given.dy.data && isHalf(given.pass)) backward({ ...given, dy: gradients.dx });
      return gradients;
    },
  })),
  computing("half-is-population", "ignores varianceEstimator 'sample' in half precision", ["13.3"], ({ train }) => ({
    train: (pass) => train(isHalf(pass) ? { ...pass, config: { ...pass.config, varianceEstimator: "population" } } : pass),
  })),
  halving(
    "half-sums",
    "accumulates in half precision",
    ["13.3", "12.8"],
    wrongly((dtype) => ({
      moments: (channel) => {
        const values = visibleValues(channel);
        const mean = halfSum(values, dtype) / values.length;
        const squares = values.map((value) => (value - mean) ** 2);
        return { mean, variance: halfSum(squares, dtype) / values.length };
      },
    })),
  ),
  halving(
    "half-gradient-sums",
    "sums dy in half precision",
    ["13.3"],
    wrongly((dtype) => ({
      sums: (dy, x, mean, inverse) => ({
        dbeta: halfSum(dy, dtype),
        dgamma: halfSum(
          dy.map((each, j) => each * (x[j] - mean) * inverse),
          dtype,
        ),
      }),
    })),
  ),
  halving(
    "half-normalizer",
    "rounds scale and shift to half precision",
    ["13.3", "12.8"],
    wrongly((dtype) => ({
      output: (x, mean, inverse, gamma, beta) => {
        const scale = rounded(gamma * inverse, dtype);
        return x * scale + rounded(beta - mean * scale, dtype);
      },
    })),
  ),
  halving(
    "half-twice-rounded",
    "rounds the normalized x to half precision, and y again",
    ["13.3", "12.8"],
    wrongly((dtype) => ({ output: (x, mean, inverse, gamma, beta) => gamma * rounded((x - mean) * inverse, dtype) + beta })),
  ),
  halving(
    "half-epsilon",
    "rounds epsilon to half precision, where it may be 0",
    ["13.3"],
    wrongly((dtype) => ({ inverseDeviation: (variance, epsilon) => 1 / Math.sqrt(variance + rounded(epsilon, dtype)) })),
  ),
  halving(
    "half-state",
    "keeps the moving statistics in half precision",
    ["13.3"],
    wrongly((dtype) => ({ move: (old, fresh, momentum) => rounded(old * momentum + fresh * (1 - momentum), dtype) })),
  ),
  halving(
    "half-parameter-gradients",
    "rounds dgamma and dbeta to half precision",
    ["13.3"],
    wrongly((dtype) => ({
      sums: (dy, x, mean, inverse, gamma) => {
        const { dgamma, dbeta } = CORRECT.sums(dy, x, mean, inverse, gamma);
        return { dgamma: rounded(dgamma, dtype), dbeta: rounded(dbeta, dtype) };
      },
    })),
  ),
  halving("half-truncated", "truncates y and dx", ["13.3", "12.8"], { narrow: truncated }),
  halving("half-ties-away", "rounds ties away from zero", ["13.3"], {
    narrow: tiesAway,
  }),
  halving("half-saturates", "clamps y to the greatest number of the dtype", ["13.3"], {
    narrow: (value, dtype) => {
      const bits = toBits(value, dtype);
      return Number.isFinite(value) && !Number.isFinite(rounded(value, dtype)) ? bits - 1 : bits;
    },
  }),
  halving("half-results-flushed", "flushes subnormal results, and declares that it does not", ["13.3", "12.8"], {
    narrow: (value, dtype) => (Math.abs(value) < (dtype === "float16" ? 2 ** -14 : 2 ** -126) ? 0 : toBits(value, dtype)),
  }),
  halving("half-inputs-flushed", "takes subnormal numbers of x for 0", ["13.3", "12.8"], {
    widen: (bits, dtype) => ((bits & (dtype === "float16" ? 0x7c00 : 0x7f80)) === 0 ? 0 : fromBits(bits, dtype)),
  }),
  halving("bfloat16-as-float16", "takes the bits of a bfloat16 for those of a float16", ["13.3"], {
    widen: (bits) => fromFloat16(bits),
    narrow: (value) => toFloat16(value),
  }),
  wrapping("half-y-is-float32", "gives y of half precision in float32", ["13.3"], (layer) =>
    override(layer, {
      call(x, options) {
        const y = layer.call(x, options);
        return isHalf(y) ? inFloat32(y) : y;
      },
    }),
  ),
  computing("half-dx-is-float32", "gives dx of half precision in float32", ["13.3"], ({ backward }) => ({
    backward(pass) {
      const { dx, ...rest } = backward(pass);
      return { ...rest, dx: isHalf(dx) && pass.out === null ? inFloat32(dx) : dx };
    },
  })),
  computing("half-out-ignored", "gives another tensor than the out of half precision", ["17.4"], ({ infer }) => ({
    infer: (pass) => infer(isHalf(pass.x) ? { ...pass, out: null } : pass),
  })),
  computing("half-gradient-out-ignored", "gives another tensor than the out of backward in half precision", ["17.4"], ({ backward }) => ({
    backward: (given) => backward(isHalf(given.dy) ? { ...given, out: null } : given),
  })),
  wrapping("half-takes-any-dy", "takes a dy of another dtype than x", ["13.3"], (layer) => {
    let last: FloatTensor | null = null;
    return override(layer, {
      call(x, options) {
        last = x;
        return layer.call(x, options);
      },
      backward(dy, options) {
        if (last === null || !isHalf(last) || isHalf(dy)) return layer.backward(dy, options);
        const dtype = last.dtype!;
        const bits = Uint16Array.from(dy.data, (value) => toBits(value, dtype));
        return layer.backward({ ...dy, data: bits as never, dtype }, options);
      },
    });
  }),
  handling("half-not-searched", "looks for NaN in float32 alone", ["11.2"], {
    findNonFinite: (x, view) => (isHalf(x) ? null : hostTensors.findNonFinite(x, view)),
  }),
  wrapping("half-overflow-rejected", "refuses an x because y overflows", ["11.2"], (layer) =>
    override(layer, {
      call(x, options) {
        const y = layer.call(x, options);
        if (layer.config.nonFinite !== "reject" || !isHalf(y) || hostTensors.findNonFinite(y, { outer: 1, channels: 1, inner: 1 }) === null)
          return y;
        throw new BatchNormError("non-finite", "y is not finite", y, "finite numbers");
      },
    }),
  ),
  declaring("bits-are-float16", "takes a Uint16Array of no dtype for float16", ["13.2"], (backend) => ({
    ...backend,
    upload: (tensor: HostTensor) =>
      backend.upload(tensor?.data instanceof Uint16Array && !isHalf(tensor) ? { ...tensor, dtype: "float16" } : tensor),
  })),
  declaring("dtype-ignored", "ignores a dtype of half precision beside a Float32Array", ["13.2"], (backend) => ({
    ...backend,
    upload: (tensor: HostTensor) =>
      backend.upload(tensor?.data instanceof Float32Array ? { data: tensor.data, shape: tensor.shape } : tensor),
  })),
  {
    name: "half-unlisted",
    fault: "takes half precision, and its manifest does not list it",
    clauses: ["13.2"],
    create: () => {
      const backend = referenceBackend("mutant/half-unlisted");
      return { ...backend, supports: { ...backend.supports, dtypes: ["float32"] } };
    },
  },
];

/** The same numbers in float32. */
function inFloat32({ data, shape, dtype }: FloatTensor): FloatTensor {
  const bits = halfBits(data as ArrayBufferView as Uint16Array);
  return { data: Float32Array.from(bits, (each) => fromBits(each, dtype!)), shape };
}

/** The bits of the number of the dtype that lies next to a value, towards 0. */
function truncated(value: number, dtype: HalfDType): number {
  const bits = toBits(value, dtype);
  return Number.isFinite(value) && Math.abs(fromBits(bits, dtype)) > Math.abs(value) ? bits - 1 : bits;
}

/** The bits of the nearest number; of two, the one that lies farther from 0. */
function tiesAway(value: number, dtype: HalfDType): number {
  const bits = truncated(value, dtype);
  const [below, above] = [fromBits(bits, dtype), fromBits(bits + 1, dtype)];
  return value - below === above - value && value !== below ? bits + 1 : toBits(value, dtype);
}
