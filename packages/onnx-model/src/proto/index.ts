export { nodesOf, tensorsOf } from "./contents.ts";
export * from "./numbers.ts";
export * from "./onnx_pb.ts";
