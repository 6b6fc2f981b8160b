import type { Runtime } from "@batchnorm/onnx-model/execute";
import { BatchNormError } from "@batchnorm/spec";
import { messageOf } from "./files.ts";

/** Execution providers that are in onnxruntime-web. All others are onnxruntime-node's. */
const OF_WEB: readonly string[] = ["wasm", "webgpu", "webgl", "webnn"];

/**
 * The runtime that has an execution provider. It is a package of its own, which only the commands that execute a model need.
 *
 * @throws BatchNormError `unsupported` where it is not installed.
 */
export async function loadRuntime(provider: string = "cpu"): Promise<Runtime> {
  const name = OF_WEB.includes(provider) ? "onnxruntime-web" : "onnxruntime-node";
  try {
    const loaded = name === "onnxruntime-web" ? await import("onnxruntime-web") : await import("onnxruntime-node");
    return loaded as Runtime;
  } catch (cause) {
    const expected = `${name}, installed beside @batchnorm/cli`;
    throw new BatchNormError(
      "unsupported",
      `The runtime for ${provider} could not be loaded`,
      messageOf(cause).slice(0, 120),
      expected,
      cause,
    );
  }
}
