export { type BatchNormJSON, type ConfigAndState, fromJSON, toJSON } from "./json.ts";
export type { JSONFloat32 } from "./json-float32.ts";
export { fromKerasConfig, type KerasOptions, type KerasOutside, toKerasConfig } from "./keras.ts";
export { fromKerasWeights, toKerasWeights } from "./keras-weights.ts";
export { fromOnnxAttributes, type OnnxAttributes, type OnnxInputs, type OnnxNode, toOnnxAttributes } from "./onnx.ts";
export {
  fromPyTorch,
  type PyTorchLayer,
  type PyTorchModule,
  type PyTorchStateDict,
  toPyTorch,
} from "./pytorch.ts";
