import type { RefusedOutput } from "./refused-output.ts";
import { type Feeds, type RuntimeTensor, runSession, type Session, takenBy } from "./runtime.ts";

/** Bits of a NaN that no arithmetic gives: where they still stand after a run, nothing was written. */
const UNWRITTEN = 0x7fedcba9;

/**
 * Runs of one session whose outputs are written into the memory of those before them. The outputs that a measurement
 * wants are all activations of a net: new arrays for every batch cost as much as all the rest.
 *
 * Not every runtime can: onnxruntime-web 1.30 takes the arrays and never writes to them. So the first time is a test, and
 * where it fails, every run gets new arrays.
 */
export class ReusedOutputs {
  readonly #session: Session;
  readonly #names: readonly string[];
  readonly #refused: RefusedOutput | null;
  #state: "untried" | "works" | "fails" = "untried";
  #shapes = "";
  #outputs: Feeds = {};

  /** @param refused the first output of the session, if it has one that makes the runtime stop there. */
  constructor(session: Session, names: readonly string[], refused: RefusedOutput | null) {
    this.#session = session;
    this.#names = names;
    this.#refused = refused;
  }

  /** @throws BatchNormError `invalid-argument` where an input is missing, `runtime-failure`. */
  async run(feeds: Feeds): Promise<Feeds> {
    const shapes = JSON.stringify(Object.entries(feeds).map(([name, { dims }]) => [name, dims]));
    if (shapes === this.#shapes && this.#state !== "fails" && (await this.#runInto(feeds))) return this.#outputs;
    const results = await runSession(this.#session, feeds, this.#names);
    this.#shapes = shapes;
    this.#outputs = results;
    if (!Object.values(results).every(isReusable)) this.#state = "fails";
    return results;
  }

  /** False where the outputs were not written: then they have to be computed once more. */
  async #runInto(feeds: Feeds): Promise<boolean> {
    const arrays = Object.values(this.#outputs).map(({ data }) => data);
    const isTest = this.#state === "untried";
    if (isTest) for (const data of arrays) bitsOf(data).fill(UNWRITTEN);
    // Shapes that depend on the data, perhaps. A run that fails without this, too, says so itself.
    if (!(await this.#runUnread(feeds))) this.#state = "fails";
    else if (isTest) this.#state = arrays.every((data) => wasWritten(bitsOf(data))) ? "works" : "fails";
    return this.#state === "works";
  }

  /** False for a run that failed. What the runtime gives back does not count: it may be copies. */
  async #runUnread(feeds: Feeds): Promise<boolean> {
    const taken = takenBy(this.#session, feeds);
    const refused = this.#refused;
    try {
      await this.#session.run(taken, (refused === null ? this.#outputs : { [refused.name]: null, ...this.#outputs }) as Feeds);
      return true;
    } catch (error) {
      return refused !== null && String(error) === refused.message;
    }
  }
}

/** Whether a tensor lies in memory of this process, in an array of a type that has a NaN. */
function isReusable({ location, data }: RuntimeTensor): boolean {
  return location === "cpu" && data instanceof Float32Array;
}

function bitsOf(data: unknown): Uint32Array {
  const { buffer, byteOffset, length } = data as Float32Array;
  return new Uint32Array(buffer, byteOffset, length);
}

function wasWritten(bits: Uint32Array): boolean {
  return bits.length === 0 || bits.some((each) => each !== UNWRITTEN);
}
