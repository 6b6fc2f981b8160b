import { copyModel } from "../edit/copy.ts";
import { complete } from "../file/complete.ts";
import type { OnnxModel } from "../file/model.ts";
import type { Match } from "../find/match.ts";
import { type Analysis, analyse } from "../find/matches.ts";
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
  readonly #session: Session | null;
  readonly #taps: readonly string[];
  readonly #inputs: ReadonlySet<string>;

  private constructor(session: Session | null, taps: readonly string[], inputs: ReadonlySet<string>) {
    this.#session = session;
    this.#taps = taps;
    this.#inputs = inputs;
  }

  /** @param whole whether all else in the model is computed, too, as a user's run would. */
  static async open(
    { model, analysis }: Analysed,
    ort: Runtime,
    values: Iterable<string>,
    { whole, options }: { readonly whole: boolean; readonly options?: SessionOptions },
  ): Promise<Execution> {
    const { given } = analysis.root;
    // An input is at hand anyway, and not every runtime takes one for an output.
    const wanted = new Set([...values].filter((name) => !given.has(name)));
    if (wanted.size === 0) return new Execution(null, [], given);
    const bytes = await tappedModel(model, analysis.root, wanted, whole);
    return new Execution(await openSession(ort, bytes, options), [...wanted], given);
  }

  /** The tensors of one run of the whole model, inputs among them. */
  static async runOnce(
    { model, analysis }: Analysed,
    ort: Runtime,
    values: Iterable<string>,
    feeds: Feeds,
    options: SessionOptions,
  ): Promise<Feeds> {
    const { given } = analysis.root;
    const wanted = new Set([...values].filter((name) => !given.has(name)));
    const session = await openSession(ort, await tappedModel(model, analysis.root, wanted, true), options);
    try {
      return { ...feeds, ...(await runSession(session, feeds, [...wanted])) };
    } finally {
      await session.release();
    }
  }

  /** The values of one run; null for those that are no floating-point numbers. */
  async run(feeds: Feeds): Promise<ReadonlyMap<string, Values | null>> {
    const results = this.#session === null ? {} : await runSession(this.#session, feeds, this.#taps);
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
    | "in-branch" // it lies in a branch or a function, whose values are no outputs of the model
    | "no-state" // its statistics are not in the file, or not per channel
    | "not-float32" // what it reads or gives is of another element type
    | "batch-arithmetic" // training mode spelled out in single nodes
    | "other-layout"; // its result has other axes than its input
  readonly why: string;
}

/** Whether a layer's values can be had, and if not, why. */
export function skipUnreachable(layer: string, { scope }: Match): SkippedLayer | null {
  if (scope.kind === "graph") return null;
  return { layer, code: "in-branch", why: `The layer lies in ${scope.path}: its values cannot be made outputs of the model.` };
}
