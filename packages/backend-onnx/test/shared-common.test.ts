import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/**
 * `require` gives onnxruntime-web and onnxruntime-node one copy of onnxruntime-common, and there the one that is loaded
 * first answers to `cpu`. A process of its own loads them, in an order.
 */
function inOneCommon(first: string, second: string, given: string, options = ""): Record<string, unknown> {
  const script = `
    import { createRequire } from "node:module";
    import { createBackend } from "@batchnorm/backend-onnx/custom";
    const require = createRequire(import.meta.url);
    let memories = 0;
    const { Memory } = WebAssembly;
    WebAssembly.Memory = class extends Memory { constructor(descriptor) { super(descriptor); memories++; } };
    const loaded = { "${first}": require("${first}"), "${second}": require("${second}") };
    const ort = loaded["${given}"];
    ort.env.wasm.numThreads = 1;
    try {
      const backend = await createBackend({ ort, ${options} });
      const layer = backend.create({}, 2);
      await layer.call(backend.upload({ data: Float32Array.of(1, 2), shape: [1, 2] }));
      console.log(JSON.stringify({ name: backend.name, isWasm: memories > 0 }));
    } catch ({ code, message }) {
      console.log(JSON.stringify({ code, message }));
    }
  `;
  const child = spawnSync(process.execPath, ["--conditions=@batchnorm/source", "--input-type=module-typescript", "-"], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    input: script,
    encoding: "utf8",
    timeout: 60_000,
  });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout);
}

const [WEB, NODE] = ["onnxruntime-web", "onnxruntime-node"];

describe("with both runtimes in one onnxruntime-common, the one that was handed in runs", () => {
  test.each([
    { first: NODE, second: WEB, given: WEB, options: "", runs: { name: "onnx/wasm", isWasm: true } },
    { first: NODE, second: WEB, given: WEB, options: 'executionProviders: ["cpu"]', runs: { name: "onnx/wasm", isWasm: true } },
    { first: NODE, second: WEB, given: NODE, options: "", runs: { name: "onnx/cpu", isWasm: false } },
    { first: WEB, second: NODE, given: WEB, options: 'executionProviders: ["cpu"]', runs: { name: "onnx/wasm", isWasm: true } },
    { first: NODE, second: WEB, given: WEB, options: 'executionProviders: ["webgpu", "wasm"]', runs: { name: "onnx/wasm", isWasm: true } },
  ])("$first, then $second, given $given $options", ({ first, second, given, options, runs }) => {
    expect(inOneCommon(first, second, given, options)).toEqual(runs);
  });

  test.each([
    { first: WEB, second: NODE, given: NODE, options: "", provider: "cpu" },
    { first: NODE, second: WEB, given: NODE, options: 'executionProviders: ["wasm"]', provider: "wasm" },
    { first: NODE, second: WEB, given: WEB, options: 'executionProviders: ["webgpu"]', provider: "webgpu" },
  ])("or is refused: $first, then $second, given $given $options", ({ first, second, given, options, provider }) => {
    const { code, message } = inOneCommon(first, second, given, options);
    expect(code).toBe("runtime-failure");
    expect(message).toContain(`answers to ${provider} in the onnxruntime-common`);
  });
});
