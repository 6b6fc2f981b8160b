export * from "./numbers.ts";
export * from "./onnx_pb.ts";
