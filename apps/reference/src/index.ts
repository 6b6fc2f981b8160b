export { type Channel, CORRECT, type Formulas, populationMoments, visibleValues } from "./formulas.ts";
export { fromBits, type HalfSteps, inHalf, rounded, toBits } from "./half.ts";
export {
  asynchronousBackend,
  backendOf,
  type HostBackend,
  type HostLayer,
  leastBackend,
  override,
  referenceBackend,
  referenceOnTensors,
  SUPPORTS,
  writeState,
} from "./reference.ts";
export { type HostPass, type ReferenceArithmetic, referenceArithmetic } from "./reference-arithmetic.ts";
