import { loadVectors, type Vectors } from "@batchnorm/conformance";

/** The address of every file of the golden vectors, by its path. */
const ADDRESSES = import.meta.glob<string>("../../../packages/conformance/vectors/*", { query: "?url", import: "default", eager: true });

/** The golden vectors that were built into this site. */
export function siteVectors(): Promise<Vectors> {
  return loadVectors(async (name) => {
    const [, address] = Object.entries(ADDRESSES).find(([path]) => path.endsWith(`/${name}`)) ?? [];
    const response = address === undefined ? null : await fetch(address);
    if (response?.ok !== true)
      throw new Error(`The golden vectors could not be fetched: ${name} (HTTP ${response?.status ?? "no address"}).`);
    return new Uint8Array(await response.arrayBuffer());
  });
}
