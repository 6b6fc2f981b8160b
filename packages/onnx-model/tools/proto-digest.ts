import { createHash } from "node:crypto";

/** How the generated schema begins: what it was made from and what was made of it, by digest. */
export function header(proto: string, body: string): string {
  const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
  return [
    `// Generated from proto/onnx.proto (${sha256(proto)}) by tools/generate-proto.ts (${sha256(body)}). Do not edit.`,
    "// biome-ignore-all format: generated",
    "// biome-ignore-all assist/source/organizeImports: generated",
    "",
  ].join("\n");
}
