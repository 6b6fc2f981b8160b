import type * as common from "onnxruntime-common";

/**
 * What this package uses of an ONNX Runtime: `onnxruntime-web`, `onnxruntime-node`, or another over onnxruntime-common.
 */
export type OrtRuntime = Pick<typeof common, "InferenceSession" | "Tensor" | "env">;

/** A name such as 'wasm', or an object with that name and options of the provider. */
export type ExecutionProvider = common.InferenceSession.ExecutionProviderConfig;

/** The name under which a runtime knows a provider. */
export function providerName(provider: ExecutionProvider): string {
  return typeof provider === "string" ? provider : provider.name;
}

/**
 * Whether what was handed in is onnxruntime-web. `require` gives it and onnxruntime-node one copy of
 * onnxruntime-common, and so one `env` with the versions of both; but only onnxruntime-node's module has a list of its
 * own backends.
 */
export function isWebRuntime(ort: OrtRuntime): boolean {
  const { web, node } = ort.env.versions;
  return web !== undefined && (node === undefined || !("listSupportedBackends" in ort));
}

/**
 * The providers as the runtime that was handed in knows them. onnxruntime-web answers to `cpu` and to `wasm`, and means
 * the same; where onnxruntime-node was loaded into the same onnxruntime-common, `wasm` alone is still its own.
 */
export function ownProviders(ort: OrtRuntime, providers: readonly ExecutionProvider[]): readonly ExecutionProvider[] {
  return isWebRuntime(ort) ? providers.map((each) => (providerName(each) === "cpu" ? "wasm" : each)) : providers;
}

/** The providers that onnxruntime-web alone has, and those that both have. The others are onnxruntime-node's. */
const WEB_ONLY = new Set(["wasm", "webnn", "webgl"]);
const OF_BOTH = new Set(["cpu", "webgpu"]);

/**
 * Throws where the other runtime would answer to the name of a provider. In one onnxruntime-common (1.30), of a name
 * that both have, the runtime that was loaded first has it for good.
 */
export function assertOwnProvider(ort: OrtRuntime, name: string): void {
  const { web, node } = ort.env.versions;
  if (web === undefined || node === undefined) return;
  const loaded = Object.keys(ort.env.versions);
  const isAnsweredByWeb = WEB_ONLY.has(name) || (OF_BOTH.has(name) && loaded.indexOf("web") < loaded.indexOf("node"));
  const [own, other] = isWebRuntime(ort) ? ["onnxruntime-web", "onnxruntime-node"] : ["onnxruntime-node", "onnxruntime-web"];
  if (isAnsweredByWeb === isWebRuntime(ort)) return;
  throw new Error(`${other} answers to ${name} in the onnxruntime-common that ${own} shares with it: load ${own} first`);
}

/** The providers that are used unless some are named. */
export function defaultProviders(ort: OrtRuntime): readonly ExecutionProvider[] {
  return [isWebRuntime(ort) ? "wasm" : "cpu"];
}
