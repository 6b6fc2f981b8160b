import { copyModel } from "../edit/copy.ts";
import { complete } from "../file/complete.ts";
import type { OnnxModel } from "../file/model.ts";
import type { Match } from "../find/match.ts";
import { type Analysis, analyse } from "../find/matches.ts";
import { allScopes } from "../graph/build-scopes.ts";
import { defines } from "../graph/scope.ts";
import { type FloatName, isFloat } from "../tensor/element-type.ts";
import { findRefusedOutput, type RefusedOutput } from "./refused-output.ts";
import { ReusedOutputs } from "./reused-outputs.ts";
import { type Feeds, openSession, type Runtime, runSession, type Session, type SessionOptions, type Values, valuesOf } from "./runtime.ts";
import { tappedModel } from "./tapped-model.ts";

/** A copy of a model with its analysis, whose nodes are the copy's. */
export interface Analysed {
  readonly model: OnnxModel;
  readonly analysis: Analysis;
}

export async function analysed(model: OnnxModel): Promise<Analysed> {
  const copy = { ...model, proto: copyModel(model.proto) };
  return { model: copy, analysis: await complete(copy, () => touch(analyse(copy.proto, copy.external))) };
}

/** Asks for the arrays of all layers, so that they are loaded. */
function touch(analysis: Analysis): Analysis {
  for (const { sources, steps } of analysis.matches) {
    for (const each of [...Object.values(sources), ...steps]) each.constant?.read();
  }
  return analysis;
}

/** Runs a model and gives values from within it. */
export class Execution {
  readonly #ort: Runtime;
  readonly #session: Session | null;
  readonly #taps: readonly string[];
  readonly #inputs: ReadonlySet<string>;
  readonly #halfInputs: ReadonlyMap<string, string>;
  readonly #reused: ReusedOutputs | null;

  private constructor(
    ort: Runtime,
    session: Session | null,
    taps: readonly string[],
    inputs: ReadonlySet<string>,
    halfInputs: ReadonlyMap<string, string>,
    refused: RefusedOutput | null,
  ) {
    this.#ort = ort;
    this.#session = session;
    this.#taps = taps;
    this.#inputs = inputs;
    this.#halfInputs = halfInputs;
    this.#reused = session === null ? null : new ReusedOutputs(session, taps, refused);
  }

  /**
   * @param whole whether all else in the model is computed, too, as a user's run would.
   * @param isRepeated whether `runAgain` is what it is for.
   */
  static async open(
    { model, analysis }: Analysed,
    ort: Runtime,
    values: Iterable<string>,
    {
      whole,
      isRepeated = false,
      options = {},
    }: { readonly whole: boolean; readonly isRepeated?: boolean; readonly options?: SessionOptions },
  ): Promise<Execution> {
    const { given, opset } = analysis.root;
    // An input is at hand anyway, and not every runtime takes one for an output.
    const wanted = new Set([...values].filter((name) => !given.has(name)));
    if (wanted.size === 0) return new Execution(ort, null, [], given, new Map(), null);
    const scopes = [...allScopes(analysis.root)];
    const isTaken = (name: string): boolean => scopes.some((scope) => defines(scope, name));
    const refused = isRepeated ? await findRefusedOutput(ort, options, opset, isTaken) : null;
    const { bytes, halfInputs } = await tappedModel(model, analysis.root, wanted, { whole, refused: refused?.name ?? null });
    return new Execution(ort, await openSession(ort, bytes, options), [...wanted], given, halfInputs, refused);
  }

  /** The tensors of one run of the whole model, inputs among them. */
  static async runOnce(subject: Analysed, ort: Runtime, values: Iterable<string>, feeds: Feeds, options: SessionOptions): Promise<Feeds> {
    const execution = await Execution.open(subject, ort, values, { whole: true, options });
    try {
      const session = execution.#session;
      return session === null ? feeds : { ...feeds, ...(await runSession(session, execution.#fed(feeds), execution.#taps)) };
    } finally {
      await execution.close();
    }
  }

  /** The values of one run; null for those that are no floating-point numbers. */
  async run(feeds: Feeds): Promise<ReadonlyMap<string, Values | null>> {
    return this.#valuesOf(feeds, this.#session === null ? {} : await runSession(this.#session, this.#fed(feeds), this.#taps));
  }

  /** The same for one of many runs: the values stand in memory that the next run writes to. */
  async runAgain(feeds: Feeds): Promise<ReadonlyMap<string, Values | null>> {
    return this.#valuesOf(feeds, this.#reused === null ? {} : await this.#reused.run(this.#fed(feeds)));
  }

  /** The feeds as the session takes them. */
  #fed(feeds: Feeds): Feeds {
    const fed: Record<string, Feeds[string]> = { ...feeds };
    for (const [name, replaced] of this.#halfInputs) {
      const values = Object.hasOwn(feeds, name) ? valuesOf(feeds[name]) : null;
      if (values !== null) fed[replaced] = new this.#ort.Tensor("float32", Float32Array.from(values.data), values.shape);
      else if (Object.hasOwn(feeds, name)) fed[replaced] = feeds[name];
    }
    return fed;
  }

  #valuesOf(feeds: Feeds, results: Feeds): ReadonlyMap<string, Values | null> {
    const fed = Object.entries(feeds).filter(([name]) => this.#inputs.has(name));
    return new Map([...fed, ...Object.entries(results)].map(([name, tensor]) => [name, valuesOf(tensor)]));
  }

  async close(): Promise<void> {
    await this.#session?.release();
  }
}

/** Why a layer was left out of what executes. */
export interface SkippedLayer {
  readonly layer: string;
  readonly code:
    | "in-branch" // it lies in a branch, a loop or a function, whose values cannot be had
    | "not-executed" // it lies in a branch that is not taken with these inputs
    | "no-state" // its statistics are not in the file, not per channel, or those of several calls of a function
    | "not-float32" // what it reads or gives is of another element type
    | "batch-arithmetic" // training mode spelled out in single nodes, in a way that no bound is known for
    | "other-layout"; // its result has other axes than its input
  readonly why: string;
}

/** The type of a layer's arrays, which is that of its data nearly everywhere. */
export function elementTypeOf({ sources, steps }: Match): FloatName {
  const types = [...Object.values(sources), ...steps].map(({ constant }) => constant?.type);
  return types.find((type): type is FloatName => type !== undefined && isFloat(type)) ?? "float32";
}
