export { type Definition, defineBackend, promiseBackend } from "./backend.ts";
export { DEFAULT_CONFIG, resolveConfig } from "./config.ts";
export {
  type Arithmetic,
  type Backend,
  type BackwardOptions,
  type BackwardPass,
  type BatchNormConfig,
  type BatchNormState,
  type CallOptions,
  type ChannelView,
  type ForwardResult,
  type Gradients,
  type HostTensor,
  type Layer,
  type Limits,
  type Mode,
  type NonFiniteElement,
  type Parameters,
  type Pass,
  SPEC_VERSION,
  type StateInput,
  type StateUpdate,
  type Statistics,
  type Store,
  type Supports,
  type TensorAccess,
  type TensorInfo,
  type Timing,
  type VarianceEstimator,
} from "./contract.ts";
export { BatchNormError, describeValue, type ErrorCode, isBatchNormError } from "./errors.ts";
export { type FloatTensor, hostStore, hostTensors, type MaskTensor } from "./host.ts";
export { decideMode } from "./mode.ts";
export { rejectUnknownOptions } from "./objects.ts";
export { copyState, initialState, resolveState } from "./state.ts";
export { channelView, elementsPerChannel, maskShape, resolveAxis, sameShape, sizeOf } from "./view.ts";
