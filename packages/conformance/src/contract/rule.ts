import type { BatchNormConfig, Layer, StateInput } from "@batchnorm/spec";
import { type AnyBackend, type Check, outcomeOf } from "../checks/check.ts";
import { sameBits } from "../checks/execute.ts";
import { type Need, whyLacking } from "../checks/needs.ts";

/** A rule of the contract that no vector can hold: what is refused, what is left alone, in which order things happen. */
export interface Rule {
  readonly id: string;
  readonly clause: string;
  /** The rule, as a sentence with MUST. */
  readonly must: string;
  /** What the backend has to support for the rule to apply. */
  readonly needs?: readonly Need[];
  /** Whether `--quick` leaves it out. */
  readonly slow?: boolean;
  /** Adds a sentence to `bench.violations` for everything that is not as it must be. */
  run(bench: Bench): Promise<void>;
}

/** Two channels, none of whose four numbers equals another: whoever mixes up parameters and statistics is seen. */
export const PLAIN_STATE: Record<"parameters", Record<"gamma" | "beta", number[]>> &
  Record<"statistics", Record<"movingMean" | "movingVariance", number[]>> = {
  parameters: { gamma: [1.5, -0.5], beta: [0.25, 2] },
  statistics: { movingMean: [0.75, -1.25], movingVariance: [4, 0.5] },
};

/** Three rows of two channels. */
export const PLAIN_X: readonly number[] = [1, -2, 3, 0.5, -4, 8];

// biome-ignore lint/suspicious/noExplicitAny: see AnyBackend
type AnyLayer = Layer<any>;

/** What a rule works with: layers of one backend, which are disposed at the end. */
export class Bench {
  readonly backend: AnyBackend;
  readonly violations: string[] = [];
  readonly #layers: AnyLayer[] = [];

  constructor(backend: AnyBackend) {
    this.backend = backend;
  }

  create(config: Partial<BatchNormConfig> = {}, state: StateInput | number = PLAIN_STATE): AnyLayer {
    return this.#keep(this.backend.create(config, state));
  }

  /** A layer that is made without a state. */
  unbuilt(config: Partial<BatchNormConfig> = {}): AnyLayer {
    return this.#keep(this.backend.create(config));
  }

  #keep(layer: AnyLayer): AnyLayer {
    this.#layers.push(layer);
    return layer;
  }

  /** Whether the tensors of this backend are `{ data, shape }` over typed arrays, which callers can make themselves. */
  hasTypedArrays(): boolean {
    const tensor = (this.tensor() ?? {}) as { data?: unknown; shape?: unknown };
    // In this order: a runtime's tensor with its data on a device may throw where data is read.
    return Array.isArray(tensor.shape) && tensor.data instanceof Float32Array;
  }

  // biome-ignore lint/suspicious/noExplicitAny: a tensor of the backend's own
  tensor(data: readonly number[] = PLAIN_X, shape: readonly number[] = [3, 2]): any {
    return this.backend.upload({ data: Float32Array.from(data), shape });
  }

  // biome-ignore lint/suspicious/noExplicitAny: a tensor of the backend's own
  mask(data: readonly number[], shape: readonly number[]): any {
    return this.backend.upload({ data: Uint8Array.from(data), shape });
  }

  async read(tensor: unknown): Promise<Float32Array> {
    return (await this.backend.download(tensor)).data as Float32Array;
  }

  expect(holds: boolean, otherwise: string): void {
    if (!holds) this.violations.push(otherwise);
  }

  /** A call whose answer is awaited later: should the rule end before, its failure is nobody's. */
  begin<Answer>(answer: Answer): Answer {
    if (isPromise(answer)) answer.catch(() => undefined);
    return answer;
  }

  /** Equality of bits: one runtime gives one answer to one question. */
  same(got: Float32Array | null, expected: Float32Array | null, otherwise: string): void {
    if (sameBits(got, expected)) return;
    const show = (values: Float32Array | null): string => (values === null ? "null" : `[${values.subarray(0, 8).join(", ")}]`);
    this.violations.push(`${otherwise}: ${show(got)}, expected ${show(expected)}.`);
  }

  /** The layer's parameters and statistics must have these bits. */
  async hasState(layer: AnyLayer, { parameters, statistics }: StateInput, when: string): Promise<void> {
    const state = await layer.state();
    for (const name of ["gamma", "beta"] as const) this.same(state.parameters[name], float32(parameters[name]), `${name} is wrong ${when}`);
    for (const name of ["movingMean", "movingVariance"] as const) {
      this.same(state.statistics[name], float32(statistics[name]), `${name} is wrong ${when}`);
    }
  }

  /** What a backward gave, in the host's memory. */
  async readGradients(answer: unknown): Promise<HostGradients> {
    const gradients = (await answer) as Record<keyof HostGradients, unknown>;
    const read = async (name: keyof HostGradients): Promise<Float32Array | null> =>
      gradients[name] === null ? null : this.read(gradients[name]);
    return { dx: await read("dx"), dgamma: await read("dgamma"), dbeta: await read("dbeta") };
  }

  sameGradients(got: HostGradients, expected: HostGradients, otherwise: string): void {
    for (const name of ["dx", "dgamma", "dbeta"] as const) this.same(got[name], expected[name], `${otherwise}: ${name}`);
  }

  /** The action must be refused with this code, by an error whose sentence says something. Gives that error. */
  async refuses(code: string, what: string, action: () => unknown): Promise<unknown> {
    try {
      await action();
    } catch (error) {
      const found = (error as { code?: unknown } | null)?.code;
      const message = error instanceof Error ? error.message : String(error);
      this.expect(found === code, `${what} was refused with the code ${String(found)} (${message}), expected ${code}.`);
      this.expect(message.length >= 20 && !message.includes("\n"), `${what} was refused without one sentence that says why: "${message}".`);
      return error;
    }
    this.violations.push(`${what} was accepted, expected a refusal with the code ${code}.`);
    return null;
  }

  async dispose(): Promise<void> {
    for (const layer of this.#layers) await layer.dispose();
  }
}

/** dx, dgamma and dbeta; null where there is nothing to learn. */
export type HostGradients = Record<"dx" | "dgamma" | "dbeta", Float32Array | null>;

/** Whether a method answered with a promise. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

function float32(values: Float32Array | readonly number[] | null | undefined): Float32Array | null {
  return values ? Float32Array.from(values) : null;
}

/** A rule as a check. */
export function ruleCheck(rule: Rule): Check {
  return {
    id: `contract/${rule.id}`,
    kind: "contract",
    clause: rule.clause,
    must: rule.must,
    slow: rule.slow ?? false,
    skip: (supports) => whyLacking(rule.needs ?? [], supports),
    run: async (backend) => {
      const bench = new Bench(backend);
      try {
        await rule.run(bench);
      } finally {
        await bench.dispose();
      }
      return outcomeOf(bench.violations.map((violation) => `clause ${rule.clause}: ${rule.must} ${violation}`));
    },
  };
}
