import type { Task } from "../task.ts";

// The few fields of ONNX's protobuf that one BatchNormalization node takes; the numbers are those of onnx.proto.

/** A model of one node, opset 15: x, scale, B, mean, var to y, and in training to the new mean and variance, too. */
export function batchNormalizationModel({ work, epsilon, momentum }: Pick<Task, "work" | "epsilon" | "momentum">): Uint8Array {
  const training = work !== "inference";
  const inputs = ["x", "scale", "B", "mean", "var"];
  const outputs = training ? ["y", "newMean", "newVar"] : ["y"];
  const node = message(
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, "BatchNormalization"),
    nested(5, message(text(1, "epsilon"), float(2, epsilon), varint(20, 1))),
    nested(5, message(text(1, "momentum"), float(2, momentum), varint(20, 1))),
    ...(training ? [nested(5, message(text(1, "training_mode"), varint(3, 1), varint(20, 2)))] : []),
  );
  // A tensor type of float32 whose shape is left open.
  const value = (name: string): number[] => message(text(1, name), nested(2, message(nested(1, message(varint(1, 1))))));
  const graph = message(
    nested(1, node),
    text(2, "g"),
    ...inputs.map((name) => nested(11, value(name))),
    ...outputs.map((name) => nested(12, value(name))),
  );
  return Uint8Array.from(message(varint(1, 8), nested(7, graph), nested(8, message(varint(2, 15)))));
}

function message(...fields: readonly number[][]): number[] {
  return fields.flat();
}

function varint(field: number, value: number): number[] {
  return [...base128(field * 8), ...base128(value)];
}

function float(field: number, value: number): number[] {
  return [...base128(field * 8 + 5), ...new Uint8Array(Float32Array.of(value).buffer)];
}

function nested(field: number, bytes: readonly number[]): number[] {
  return [...base128(field * 8 + 2), ...base128(bytes.length), ...bytes];
}

function text(field: number, value: string): number[] {
  return nested(field, [...new TextEncoder().encode(value)]);
}

function base128(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...base128(Math.floor(value / 128))];
}
