import { InferenceSession, Tensor } from "onnxruntime-node";

// One BatchNormalization with training_mode 1, whose scale 1, B 0, mean 0 and var 1 are initializers, and only y is an output.
const model = Buffer.from(
  "CAgSADrTAQpfCgF4CgVzY2FsZQoBQgoEbWVhbgoDdmFyEgF5EgFtEgF2IhJCYXRjaE5vcm1hbGl6YXRpb24qEgoIbW9tZW50dW0VAAAAP6ABASoUCg10cmFpbmluZ19tb2RlGAGgAQISAWcqEQgBEAEiBAAAgD9CBXNjYWxlKg0IARABIgQAAAAAQgFCKhAIARABIgQAAAAAQgRtZWFuKg8IARABIgQAAIA/QgN2YXJaEwoBeBIOCgwIARIICgIIAgoCCAFiEwoBeRIOCgwIARIICgIIAgoCCAFCBAoAEA8=",
  "base64",
);
for (const graphOptimizationLevel of ["disabled", "all"]) {
  const session = await InferenceSession.create(model, { graphOptimizationLevel });
  const { y } = await session.run({ x: new Tensor("float32", [10, 20], [2, 1]) });
  console.log(`graph optimizations ${graphOptimizationLevel}:`, y.data);
}
console.log("expected: -1 and 1, since x is normalized with its own mean and variance");
