import type { MatrixRuntime } from "@batchnorm/conformance/matrix";
import type { Need } from "./backends.ts";

/** What this file uses of a navigator, beyond what TypeScript knows. */
interface Navigator {
  readonly userAgent: string;
  readonly platform: string;
  readonly gpu?: { requestAdapter(): Promise<{ readonly info?: GpuInfo } | null> };
  readonly userAgentData?: {
    readonly platform: string;
    getHighEntropyValues(hints: readonly string[]): Promise<{ readonly fullVersionList?: readonly Brand[] }>;
  };
}

interface GpuInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
}

interface Brand {
  readonly brand: string;
  readonly version: string;
}

/** This browser: as a result names it, and why it lacks what it does. */
export interface Browser {
  readonly runtime: MatrixRuntime;
  readonly lacks: ReadonlyMap<Need, string>;
}

/** Families by what their user agent has in it; the first that fits is the right one. */
const FAMILIES: readonly (readonly [id: string, name: string, pattern: RegExp])[] = [
  ["edge", "Edge", /\bEdg\/([\d.]+)/],
  ["firefox", "Firefox", /\bFirefox\/([\d.]+)/],
  ["chromium", "Chromium", /Chrome\/([\d.]+)/],
  ["safari", "Safari", /\bVersion\/([\d.]+).*Safari/],
];

export async function thisBrowser(): Promise<Browser> {
  const { userAgent, platform, gpu, userAgentData } = navigator as unknown as Navigator;
  const [id, name, pattern] = FAMILIES.find(([, , each]) => each.test(userAgent)) ?? ["browser", "Browser", /()/];
  const full = await userAgentData?.getHighEntropyValues(["fullVersionList"]).catch(() => ({ fullVersionList: [] }));
  const version = full?.fullVersionList?.find(({ brand }) => brand.includes(name))?.version ?? pattern.exec(userAgent)?.[1] ?? null;
  const adapter = (await gpu?.requestAdapter().catch(() => null)) ?? null;
  const graphics = adapter === null ? [] : [`WebGPU on ${describeGpu(adapter.info)}`];
  const lacks = new Map<Need, string>();
  if (gpu === undefined) lacks.set("webgpu", "this browser has no WebGPU");
  else if (adapter === null) lacks.set("webgpu", "this browser gives no WebGPU adapter");
  if (!hasWebgl()) lacks.set("webgl", "this browser has no WebGL 2 in workers");
  if (!globalThis.crossOriginIsolated) lacks.set("threads", "this page is not cross-origin isolated");
  return {
    runtime: {
      id,
      name,
      version,
      platform: [userAgentData?.platform || platform, ...graphics].filter(Boolean).join(", ") || null,
      status: "ran",
      howToGet: "open this page in it",
    },
    lacks,
  };
}

function describeGpu(info: GpuInfo | undefined): string {
  const known = info === undefined ? "" : info.description || [info.vendor, info.architecture].filter(Boolean).join(" ");
  return known || "an unnamed GPU";
}

/** In a worker a canvas has no element. */
function hasWebgl(): boolean {
  return typeof OffscreenCanvas !== "undefined" && new OffscreenCanvas(1, 1).getContext("webgl2") !== null;
}
