import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { header } from "../tools/proto-digest.ts";

test("the generated schema is that of proto/onnx.proto", () => {
  const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
  const [proto, generated] = [read("../proto/onnx.proto"), read("../src/proto/onnx_pb.ts")];
  const body = generated.split("\n").slice(3).join("\n");
  expect(generated).toBe(header(proto, body) + body);
});
