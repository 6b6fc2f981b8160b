// What users of a backend need besides it, whether they know of this package or not: every backend re-exports this entry. With
// package managers that keep dependencies apart, a program cannot import what it has not installed itself.
export type {
  BatchNormConfig,
  BatchNormState,
  CallOptions,
  Gradients,
  HostTensor,
  Parameters,
  StateInput,
  StateUpdate,
  Statistics,
  Supports,
} from "./contract.ts";
export * from "./convert/index.ts";
export { BatchNormError, type ErrorCode, isBatchNormError } from "./errors.ts";
export type { HalfTensor } from "./half.ts";
export type { FloatTensor, MaskTensor } from "./host.ts";
export { initialState } from "./state.ts";
