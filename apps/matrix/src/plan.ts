import { backends as inBrowser } from "@batchnorm/adapters/browser";
import { backends as inProgram } from "@batchnorm/adapters/node";
import { RUNTIMES, type Runtime } from "./runtimes.ts";

/** One cell of the matrix that is to be run. */
export interface Task {
  readonly runtime: Runtime;
  readonly backend: string;
  /** Whether the slow checks are left out. */
  readonly quick: boolean;
}

/** What of the suite is run: `once`: all of it in one cell of each backend that needs no graphics, and no slow check elsewhere. */
export type Depth = "once" | "quick" | "whole";

/** A browser without a graphics card, and without software in its place, has neither WebGL nor WebGPU. */
const NEEDS_GRAPHICS = /webgl|webgpu/;

/**
 * Where a backend is held against the whole suite. The slow checks are about what a backend computes on large data, and the other
 * versions of Node, the other programs and the browsers run the same code on it. A million elements take a minute where software
 * stands in for a graphics card: the slow checks of these backends are run by `whole`.
 */
function isHome({ id }: Runtime, backend: string): boolean {
  return id === (backend in inProgram ? "node-24" : "chromium") && !NEEDS_GRAPHICS.test(backend);
}

/** The names of the backends that are meant for a runtime. */
export function backendsOn({ kind }: Runtime): string[] {
  if (kind === "chromium") return Object.keys(inBrowser);
  if (kind === "firefox") return Object.keys(inBrowser).filter((name) => !NEEDS_GRAPHICS.test(name));
  return Object.keys(inProgram);
}

/**
 * All cells of these runtimes and backends.
 *
 * @param runtimes ids; empty for all.
 * @param backends names; empty for all.
 * @throws RangeError for a runtime or a backend that does not exist, and where nothing is left.
 */
export function plan(runtimes: readonly string[], backends: readonly string[], depth: Depth): Task[] {
  const ids = RUNTIMES.map(({ id }) => id);
  const names = [...new Set(RUNTIMES.flatMap(backendsOn))];
  expectKnown("runtime", runtimes, ids);
  expectKnown("backend", backends, names);
  const tasks = RUNTIMES.filter(({ id }) => runtimes.length === 0 || runtimes.includes(id)).flatMap((runtime) =>
    backendsOn(runtime)
      .filter((name) => backends.length === 0 || backends.includes(name))
      .map((backend) => ({ runtime, backend, quick: depth === "quick" || (depth === "once" && !isHome(runtime, backend)) })),
  );
  if (tasks.length === 0) throw new RangeError(`${backends.join(", ")} does not run on ${runtimes.join(", ")}: name others, or fewer.`);
  return tasks;
}

function expectKnown(what: string, wanted: readonly string[], known: readonly string[]): void {
  const unknown = wanted.find((each) => !known.includes(each));
  if (unknown !== undefined) throw new RangeError(`--${what} ${unknown}: there is none of this name, expected one of ${known.join(", ")}.`);
}
