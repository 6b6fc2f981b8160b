import {
  type AnyBackend,
  type Check,
  type ConformanceConfig,
  fetchVectors,
  openBackend,
  runChecks,
  suiteChecks,
  toConfig,
} from "@batchnorm/conformance";
import { type Announcement, type ConformancePage, encode, type PageRunOptions } from "./protocol.ts";

/** The suite as it runs in the browser, one backend a page. */
class Page implements ConformancePage {
  #config!: ConformanceConfig;
  #backend!: AnyBackend;

  async load(): Promise<number> {
    // Not a static import: a config that throws rejects this promise, and so reaches Node as an error.
    const { default: exported } = await import("virtual:conformance-config");
    this.#config = toConfig(exported, "The config");
    return this.#config.backends.length;
  }

  async open(index: number): Promise<string> {
    this.#backend = await openBackend(this.#config.backends[index], index);
    return this.#backend.name;
  }

  async run({ only, properties }: PageRunOptions): Promise<readonly string[]> {
    const checks = suiteChecks(await fetchVectors("/"), properties).map(announced);
    const sent: Promise<void>[] = [];
    const { problems } = await runChecks(this.#backend, checks, {
      deviations: this.#config.deviations ?? [],
      only,
      onProgress: (done, total, result) => sent.push(tell({ done, total, result })),
    });
    await Promise.all(sent);
    return problems;
  }
}

/** The same check, whose beginning Node hears of: only so can it name the check that never ends. */
function announced(check: Check): Check {
  return {
    ...check,
    run: async (backend) => {
      await tell({ started: check.id });
      return check.run(backend);
    },
  };
}

function tell(announcement: Announcement): Promise<void> {
  return globalThis.announce(encode(announcement));
}

globalThis.conformance = new Page();
