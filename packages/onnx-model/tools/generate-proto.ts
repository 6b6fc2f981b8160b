import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { header } from "./proto-digest.ts";

// Writes src/proto/onnx_pb.ts from proto/onnx.proto. The compiler is 90 MB, so it is fetched for the occasion and not a
// dependency; test/proto.test.ts checks by digest that neither file has changed since.
const COMPILER = ["-y", "-p", "@bufbuild/buf@1.75.0", "-p", "@bufbuild/protoc-gen-es@2.17.0"];
const OPTIONS = ["target=ts", "import_extension=ts", "erasable_syntax=true"];

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "onnx-proto-"));
try {
  const template = JSON.stringify({ version: "v2", plugins: [{ local: "protoc-gen-es", out: folder, opt: OPTIONS }] });
  execFileSync("npx", [...COMPILER, "buf", "generate", "proto", "--template", template], { cwd: root, stdio: "inherit" });
  const body = readFileSync(join(folder, "onnx_pb.ts"), "utf8");
  writeFileSync(join(root, "src/proto/onnx_pb.ts"), header(readFileSync(join(root, "proto/onnx.proto"), "utf8"), body) + body);
} finally {
  rmSync(folder, { recursive: true });
}
