export { createBackend, fromOnnx, toOnnx } from "@batchnorm/backend-onnx/custom";
