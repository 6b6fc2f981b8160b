import { inputGradient, parameterGradients } from "./backward.ts";
import type { Kernels } from "./kernels.ts";
import { moments } from "./moments.ts";
import { findNonFinite } from "./non-finite.ts";
import { normalize } from "./normalize.ts";

/** The kernels in plain TypeScript: the reference, what runs where WebAssembly does not, and the quickest on small tensors. */
export const PLAIN: Kernels = { normalize, moments, parameterGradients, inputGradient, findNonFinite };
