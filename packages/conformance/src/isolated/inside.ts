import type { AnyBackend } from "../checks/check.ts";
import { manifestFaults } from "../checks/manifest.ts";
import { type ConformanceConfig, openBackend, toConfig } from "../config.ts";
import { BAD_MANIFEST, backendProblems, MANIFEST_CHECK, nameOf, notRun, runCheck } from "../run.ts";
import { stackOf } from "../stack.ts";
import { suiteChecks } from "../suite.ts";
import type { Vectors } from "../vectors/load.ts";
import type { Message, Order } from "./messages.ts";

/** What a process and a page do each in its own way. */
export interface Environment {
  /** Gives what the config module exports by default. */
  load(): Promise<unknown>;
  vectors(): Promise<Vectors>;
  /** Resolves when the message has left: what ends this place afterwards does not lose it. */
  tell(message: Message): Promise<void>;
  /** Lets an error that nobody caught come up before the next check starts. */
  settle(): Promise<void>;
  /** The place in a module that cannot be loaded, and what else an error tells of it. */
  explain(error: unknown): string | null;
}

/** Takes one backend of a config through checks and tells how it goes: the inner side of `runBackend`. */
export async function runInside(order: Order, environment: Environment): Promise<void> {
  const { tell } = environment;
  const config = await loadConfig(environment);
  if (config === null) return;
  const { backends, deviations = [] } = config;
  await tell({ kind: "loaded", backends: backends.length, deviations });
  const backend = await open(config, order.index, environment);
  if (backend === null) return;
  const name = nameOf(backend);
  const wanted = order.backends.length === 0 || order.backends.includes(name);
  const inOrder = manifestFaults(backend).length === 0;
  const supports = inOrder ? backend.supports : null;
  await tell({ kind: "opened", backend: { name, wanted, problems: backendProblems(backend), supports } });
  if (!wanted) return;
  const checks = new Map(suiteChecks(await environment.vectors(), order.properties).map((check) => [check.id, check]));
  for (const id of order.checks) {
    const check = checks.get(id)!;
    await tell({ kind: "started", id });
    const result =
      inOrder || id === MANIFEST_CHECK
        ? await runCheck(backend, check, { outputs: order.outputs, timeout: Number.POSITIVE_INFINITY })
        : notRun(check, BAD_MANIFEST);
    await environment.settle();
    await tell({ kind: "finished", result });
  }
  await tell({ kind: "done" });
}

async function loadConfig({ load, tell, explain }: Environment): Promise<ConformanceConfig | null> {
  let exported: unknown;
  try {
    exported = await load();
  } catch (error) {
    await tell({ kind: "refused", why: `could not be loaded: ${messageOf(error)}`, ...detail(explain(error)) });
    return null;
  }
  try {
    return toConfig(exported);
  } catch (error) {
    await tell({ kind: "refused", why: messageOf(error) });
    return null;
  }
}

async function open({ backends }: ConformanceConfig, index: number, { tell }: Environment): Promise<AnyBackend | null> {
  try {
    return await openBackend(backends[index], index);
  } catch (error) {
    await tell({ kind: "failed", why: messageOf(error), ...detail(stackOf(error)) });
    return null;
  }
}

function detail(text: string | null): { readonly detail?: string } {
  return text === null ? {} : { detail: text };
}

/** What an error says, without the code frames and stacks that some loaders put under it. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0].trim();
}
