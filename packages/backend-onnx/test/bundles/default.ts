export { fromOnnx } from "@batchnorm/backend-onnx";
