/** A runtime that a machine can have. */
export interface Runtime {
  /** Short and stable; the result file has it. */
  readonly id: string;
  /** As people say it. */
  readonly name: string;
  readonly kind: "node" | "deno" | "bun" | "chromium" | "firefox";
  /** The npm package that brings it, with its exact version; null for browsers. */
  readonly npm: string | null;
  /** One line. */
  readonly howToGet: string;
}

/** In the order in which they are shown. */
export const RUNTIMES: readonly Runtime[] = [
  fromNpm("node-20", "Node 20", "node", "node@20.20.2"),
  fromNpm("node-22", "Node 22", "node", "node@22.23.3"),
  fromNpm("node-24", "Node 24", "node", "node@24.21.0"),
  fromNpm("node-26", "Node 26", "node", "node@26.10.0"),
  fromNpm("deno", "Deno", "deno", "deno@2.9.6"),
  fromNpm("bun", "Bun", "bun", "bun@1.4.5"),
  fromDebian("chromium", "Chromium", "chromium", "CHROMIUM"),
  fromDebian("firefox", "Firefox", "firefox-esr", "FIREFOX"),
];

function fromNpm(id: string, name: string, kind: Runtime["kind"], npm: string): Runtime {
  return { id, name, kind, npm, howToGet: `\`npm install ${npm}\`: done for every run where a package registry answers` };
}

function fromDebian(id: "chromium" | "firefox", name: string, debian: string, variable: string): Runtime {
  return { id, name, kind: id, npm: null, howToGet: `\`apt-get install ${debian}\`, or its path in the environment variable ${variable}` };
}
