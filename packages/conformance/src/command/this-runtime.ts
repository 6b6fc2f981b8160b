import type { BrowserName } from "../browser/find-browser.ts";
import type { MatrixRuntime } from "../matrix/index.ts";

/** The runtime in which this program runs, as a result names it. */
export function thisRuntime(): MatrixRuntime {
  const { versions, platform, arch } = process;
  const shared = { platform: `${platform} ${arch}`, status: "ran" } as const;
  if (versions.bun !== undefined) return { ...shared, id: "bun", name: "Bun", version: versions.bun, howToGet: "npm install bun" };
  if (versions.deno !== undefined) return { ...shared, id: "deno", name: "Deno", version: versions.deno, howToGet: "npm install deno" };
  const [major] = versions.node.split(".");
  return { ...shared, id: `node-${major}`, name: `Node ${major}`, version: versions.node, howToGet: `npm install node@${major}` };
}

/** A browser in which backends ran, of whatever version is installed. */
export function browserRuntime(name: BrowserName): MatrixRuntime {
  const title = name.charAt(0).toUpperCase() + name.slice(1);
  const { platform, arch } = process;
  return { id: name, name: title, version: null, platform: `${platform} ${arch}`, status: "ran", howToGet: `install ${title}` };
}
