import type { InferenceSession, Tensor } from "onnxruntime-common";
import type { Graph } from "./graph/graph.ts";
import type { ExecutionProvider, OrtRuntime } from "./runtime.ts";
import type { StartedRuntime } from "./start.ts";
import type { Turns } from "./turns.ts";

/** A graph that may have to be built, and what it is known by: equal keys are equal graphs. */
export interface GraphSource {
  readonly key: string;
  /** The outputs that stay on the GPU; the others come to the host. */
  readonly onGpu: readonly string[];
  /** The graph that runs in its place where its own outputs, on the host, turn out to be of no use. */
  readonly again?: { readonly source: GraphSource; when(outputs: Tensors): boolean };
  build(): Graph;
}

/** Tensors by the names of a graph's inputs or outputs. */
export type Tensors = Readonly<Record<string, Tensor>>;

interface Entry {
  readonly session: Promise<InferenceSession>;
  users: number;
}

/**
 * How many sessions may stay without a user. One is some 200 KB, and to make one costs 0.3 to 4 ms on wasm; on webgpu
 * its first run compiles shaders, 0.3 to 1 s in software (onnxruntime-web 1.30).
 */
const IDLE_LIMIT = 16;

/** The key of the session that the runtime was started with. */
const START = "start";

/**
 * The sessions of one backend: one for each graph, however many layers use it, made at the first use. Those without a
 * user stay, up to a limit, for the next layer of their kind; beyond it the longest unused goes.
 */
export class Sessions {
  readonly #ort: OrtRuntime;
  readonly #providers: readonly ExecutionProvider[];
  readonly #turns: Turns | null;
  readonly #entries = new Map<string, Entry>();
  /** The keys of the entries without users, the longest unused first. */
  readonly #idle = new Set<string>();

  /**
   * @param started keeps its session as one that nobody uses.
   * @param turns whatever the runtime does is done in turn, where there are any.
   */
  constructor(ort: OrtRuntime, { providers, session }: StartedRuntime, turns: Turns | null) {
    this.#ort = ort;
    this.#providers = providers;
    this.#turns = turns;
    this.#entries.set(START, { session: Promise.resolve(session), users: 0 });
    this.#idle.add(START);
  }

  /** The session of a graph, for one more user, who has to `release` it. */
  async acquire(source: GraphSource): Promise<InferenceSession> {
    const { key } = source;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { session: this.#inTurn(() => this.#create(source)), users: 0 };
      this.#entries.set(key, entry);
    }
    entry.users++;
    this.#idle.delete(key);
    try {
      return await entry.session;
    } catch (error) {
      // The next user tries again.
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
      throw error;
    }
  }

  async release({ key }: GraphSource): Promise<void> {
    const entry = this.#entries.get(key)!;
    entry.users--;
    if (entry.users > 0) return;
    this.#idle.add(key);
    await this.#shrinkIdle(IDLE_LIMIT);
  }

  /** Releases every session that has no user. */
  releaseIdle(): Promise<void> {
    return this.#shrinkIdle(0);
  }

  run(session: InferenceSession, feeds: Tensors, outputs: readonly string[]): Promise<Tensors> {
    return this.#inTurn(() => session.run(feeds, outputs) as Promise<Tensors>);
  }

  async #shrinkIdle(limit: number): Promise<void> {
    for (const key of this.#idle) {
      if (this.#idle.size <= limit) return;
      const { session } = this.#entries.get(key)!;
      this.#idle.delete(key);
      this.#entries.delete(key);
      await this.#inTurn(async () => (await session).release());
    }
  }

  #create({ onGpu, build }: GraphSource): Promise<InferenceSession> {
    return this.#ort.InferenceSession.create(build().bytes(), {
      executionProviders: this.#providers,
      ...(onGpu.length > 0 && { preferredOutputLocation: Object.fromEntries(onGpu.map((name) => [name, "gpu-buffer" as const])) }),
      // Errors only. A warning says at every session that shape arithmetic stays on the CPU, which is where it belongs.
      logSeverityLevel: 3,
    });
  }

  #inTurn<Value>(task: () => Promise<Value>): Promise<Value> {
    return this.#turns === null ? task() : this.#turns.take(task);
  }
}

/** The sessions that one layer has used: it is one of their users until it releases them. */
export class HeldSessions {
  readonly #sessions: Sessions;
  readonly #held = new Map<string, { readonly source: GraphSource; readonly session: InferenceSession }>();

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  async run(source: GraphSource, feeds: Tensors, outputs: readonly string[]): Promise<Tensors> {
    let held = this.#held.get(source.key);
    if (held === undefined) {
      held = { source, session: await this.#sessions.acquire(source) };
      this.#held.set(source.key, held);
    }
    const found = await this.#sessions.run(held.session, feeds, outputs);
    return source.again?.when(found) ? this.run(source.again.source, feeds, outputs) : found;
  }

  async release(): Promise<void> {
    const held = [...this.#held.values()];
    this.#held.clear();
    for (const { source } of held) await this.#sessions.release(source);
  }
}
