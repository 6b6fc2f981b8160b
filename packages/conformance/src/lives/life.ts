import { type BatchNormConfig, type BatchNormState, maskShape, type StateUpdate, type Supports, sizeOf } from "@batchnorm/spec";
import type { AnyBackend } from "../checks/check.ts";
import { type MaskKind, Numbers } from "../trials/numbers.ts";
import type { StepInput } from "../trials/truth.ts";

// biome-ignore lint/suspicious/noExplicitAny: a tensor of the backend's own
type Tensor = any;
type AnyLayer = ReturnType<AnyBackend["create"]>;

/** What happens to a layer, by how often it does. */
export interface Weights {
  readonly call: number;
  readonly backward: number;
  readonly setState: number;
  readonly state: number;
  readonly freeze: number;
  readonly refuse: number;
  /** A third layer is made, called and disposed. */
  readonly visit: number;
}

/** How lives are lived. */
export interface LifeOptions {
  readonly weights: Weights;
  /** How many layers live side by side, on tensors of the same sizes. */
  readonly layers: number;
  /** Nothing is awaited until the end: the calls of an asynchronous layer overlap. */
  readonly overlap: boolean;
  /** How many shapes there are at the most. */
  readonly shapes: number;
  /** How many calls pass an output buffer, where the backend takes one. */
  readonly out: number;
}

/** What was given and what came, to be judged when all is over. */
export interface CallEvent {
  readonly kind: "call";
  readonly input: StepInput;
  readonly y: readonly Promise<ArrayLike<number>>[];
  /** One for each backward, and of each what was read, once or twice. */
  readonly gradients: Promise<Readonly<Record<"dx" | "dgamma" | "dbeta", ArrayLike<number> | null>>>[];
}

export interface StateEvent {
  readonly kind: "state";
  /** What `setState` was given before; null where the state was only read. */
  readonly update: StateUpdate | null;
  readonly state: Promise<BatchNormState>;
}

export interface LayerLife {
  readonly config: BatchNormConfig;
  readonly start: BatchNormState;
  readonly events: readonly (CallEvent | StateEvent)[];
}

/** What one run of a life leaves behind. */
export interface Lived {
  readonly layers: readonly LayerLife[];
  /** Sentences about what was wrong without any number. */
  readonly violations: readonly string[];
}

const CHANNELS = 3;
/** All of 60 elements a channel or of 15: what is kept by the number of elements is taken for another's. */
const SHAPES: Readonly<Record<number, readonly (readonly number[])[]>> = {
  1: [
    [60, 3],
    [6, 3, 10],
    [10, 3, 6],
    [1, 3, 60],
    [5, 3, 3, 4],
    [60, 3, 1],
    [15, 3],
    [5, 3, 3],
    [3, 3, 5],
  ],
  [-1]: [
    [60, 3],
    [6, 10, 3],
    [10, 6, 3],
    [1, 60, 3],
    [5, 3, 4, 3],
    [15, 3],
    [3, 5, 3],
    [5, 3, 3],
  ],
};

/** One layer of a life. */
class Subject {
  readonly config: BatchNormConfig;
  readonly start: BatchNormState;
  readonly layer: AnyLayer;
  readonly events: (CallEvent | StateEvent)[] = [];
  trainable: boolean;
  /** The call that backward belongs to, and the dy that is meant for it. */
  pending: { readonly event: CallEvent; readonly dy: Float32Array } | null = null;

  constructor(backend: AnyBackend, config: BatchNormConfig, start: BatchNormState) {
    this.config = config;
    this.start = start;
    this.trainable = config.trainable;
    this.layer = backend.create(config, start);
  }
}

/** Lives one life: what happens, in which order and on which numbers follows from the seed. */
export async function live(backend: AnyBackend, options: LifeOptions, length: number, seed: number): Promise<Lived> {
  const life = new Life(backend, options, seed);
  try {
    for (let each = 0; each < length; each++) await life.next();
    return await life.end();
  } finally {
    await life.dispose();
  }
}

class Life {
  readonly #backend: AnyBackend;
  readonly #supports: Supports;
  readonly #options: LifeOptions;
  readonly #numbers: Numbers;
  readonly #subjects: readonly Subject[];
  readonly #violations: string[] = [];
  /** What is not yet answered. */
  #waiting: Promise<unknown>[] = [];
  /** Looked at when all is over: tensors that may not have changed. */
  readonly #last: (() => Promise<void>)[] = [];

  constructor(backend: AnyBackend, options: LifeOptions, seed: number) {
    this.#backend = backend;
    this.#supports = backend.supports;
    this.#options = options;
    this.#numbers = new Numbers(seed);
    const config = this.#config();
    this.#subjects = Array.from({ length: options.layers }, () => new Subject(backend, config, this.#numbers.state(config, CHANNELS)));
  }

  async next(): Promise<void> {
    const subject = this.#numbers.pick(this.#subjects);
    const { training, gradients } = this.#supports;
    const { weights } = this.#options;
    const deeds: readonly (readonly [number, () => void])[] = [
      [weights.call, () => this.#call(subject)],
      [gradients ? weights.backward : 0, () => this.#backward(subject)],
      [weights.setState, () => this.#setState(subject)],
      [weights.state, () => this.#state(subject, null)],
      [training ? weights.freeze : 0, () => this.#freeze(subject)],
      [weights.refuse, () => this.#refuse(subject)],
      [weights.visit, () => this.#visit()],
    ];
    this.#numbers.pick(deeds.flatMap(([weight, deed]) => new Array<() => void>(weight).fill(deed)))();
    if (!this.#options.overlap) await this.#answers();
  }

  async end(): Promise<Lived> {
    for (const subject of this.#subjects) this.#state(subject, null);
    await this.#answers();
    for (const look of this.#last) await look();
    return { layers: this.#subjects, violations: this.#violations };
  }

  async dispose(): Promise<void> {
    for (const { layer } of this.#subjects) await layer.dispose();
  }

  #call(subject: Subject): void {
    const numbers = this.#numbers;
    const { axis } = subject.config;
    const shapes = SHAPES[axis].filter((each) => each.length <= (this.#supports.maxRank ?? 4));
    const shape = numbers.pick(shapes.slice(0, this.#options.shapes));
    const training = this.#supports.training && numbers.chance(0.6);
    const [x, dy] = [numbers.x(shape, axis), numbers.dy(shape, axis)];
    const kind = numbers.pick<MaskKind | null>([null, null, null, "some", "some", "one", "all", "none"]);
    const mask = this.#supports.masks && kind !== null ? numbers.mask(sizeOf(shape) / CHANNELS, kind) : null;
    const asked = numbers.pick([undefined, undefined, true, false]);
    const gradient = this.#supports.gradients ? asked : undefined;
    const keeps = this.#supports.gradients && (gradient ?? training);
    const buffer = this.#buffer(!keeps);
    const tensors = {
      x: this.#upload(buffer === "over" ? null : "x", x, shape),
      mask: mask && this.#upload("mask", mask, maskShape(shape, axis)),
    };
    const out = buffer === null ? null : buffer === "over" ? tensors.x : this.#nines(shape);
    const options = {
      ...(numbers.chance(0.9) ? training && { training } : { training }),
      ...(tensors.mask !== null && { mask: tensors.mask }),
      ...(gradient !== undefined && { gradient }),
      ...(out !== null && { out }),
    };
    const answer = this.#begin(() =>
      Object.keys(options).length === 0 ? subject.layer.call(tensors.x) : subject.layer.call(tensors.x, options),
    );
    const event: CallEvent = {
      kind: "call",
      input: { training, trainable: subject.trainable, shape, x, mask, dy: keeps ? dy : null },
      y: this.#readings(async () => (await this.#backend.download(await answer)).data),
      gradients: [],
    };
    if (out !== null) this.#last.push(async () => this.#expect((await answer) === out, "What call gave is not the out that it was given."));
    subject.events.push(event);
    subject.pending = keeps ? { event, dy } : null;
  }

  #backward({ layer, pending }: Subject): void {
    if (pending === null) {
      const dy = this.#upload("dy", new Float32Array(15 * CHANNELS), [15, CHANNELS]);
      this.#refused("no-forward", "A backward without its call", () => layer.backward(dy));
      return;
    }
    const { shape } = pending.event.input;
    const buffer = this.#buffer(true);
    const dy = this.#upload(buffer === "over" ? null : "dy", pending.dy, shape);
    const out = buffer === null ? null : buffer === "over" ? dy : this.#nines(shape);
    const answer = this.#begin(() => (out === null ? layer.backward(dy) : layer.backward(dy, { out })));
    const readings = this.#readings(async () => {
      const { dx, dgamma, dbeta } = await answer;
      const read = async (tensor: Tensor): Promise<ArrayLike<number> | null> =>
        tensor === null ? null : (await this.#backend.download(tensor)).data;
      this.#expect(out === null || dx === out, "What backward gave as dx is not the out that it was given.");
      return { dx: await read(dx), dgamma: await read(dgamma), dbeta: await read(dbeta) };
    });
    pending.event.gradients.push(...readings);
  }

  #setState(subject: Subject): void {
    const numbers = this.#numbers;
    const { parameters, statistics } = numbers.state(subject.config, CHANNELS);
    const some = <Part extends object>(part: Part): Partial<Part> =>
      Object.fromEntries(Object.entries(part).filter(([, values]) => values !== null && numbers.chance(0.5))) as Partial<Part>;
    const update = { parameters: some(parameters), statistics: some(statistics) };
    subject.pending = null;
    this.#begin(() => subject.layer.setState(update));
    this.#state(subject, update);
  }

  #state(subject: Subject, update: StateUpdate | null): void {
    const answer = this.#begin(() => subject.layer.state());
    subject.events.push({ kind: "state", update, state: answer });
  }

  #freeze(subject: Subject): void {
    subject.trainable = !subject.trainable;
    if (this.#numbers.chance(0.3)) subject.layer.trainable = subject.trainable;
    else if (subject.trainable) subject.layer.unfreeze();
    else subject.layer.freeze();
    this.#expect(subject.layer.config.trainable === subject.trainable, `config.trainable is not ${subject.trainable}.`);
  }

  #refuse({ layer, pending }: Subject): void {
    const { out, masks, training } = this.#supports;
    const x = this.#upload("x", this.#numbers.x([4, 3], 1), [4, 3]);
    const nines = new Float32Array(12).fill(9);
    const buffer = out ? { out: this.#upload("the out of a refused call", nines, [4, 3]) } : {};
    const wide = this.#upload("x", new Float32Array(20), [4, 5, 1]);
    this.#numbers.pick([
      () => this.#refused("channel-mismatch", "Another number of channels", () => layer.call(wide, { training })),
      () => this.#refused("wrong-length", "A gamma of the wrong length", () => layer.setState({ statistics: { movingMean: [1] } })),
      ...(masks
        ? [
            () =>
              this.#refused("invalid-mask", "A mask of the wrong shape", () =>
                layer.call(x, { training, mask: this.#upload("mask", new Uint8Array(5), [5]), ...buffer }),
              ),
          ]
        : []),
      ...(pending === null ? [] : [() => this.#refused("invalid-gradient", "A dy of the wrong shape", () => layer.backward(x))]),
    ])();
  }

  #visit(): void {
    const { training, gradients } = this.#supports;
    const config = this.#config();
    const visitor = this.#backend.create(config, this.#numbers.state(config, CHANNELS));
    const x = this.#upload("x", this.#numbers.x([60, 3], config.axis), [60, 3]);
    this.#begin(() => visitor.call(x, { training, gradient: gradients }));
    if (gradients && this.#numbers.chance(0.5)) this.#begin(() => visitor.backward(x));
    this.#begin(() => visitor.dispose());
  }

  #config(): BatchNormConfig {
    const numbers = this.#numbers;
    return {
      axis: this.#supports.axes === "last" ? -1 : numbers.pick([1, -1]),
      momentum: numbers.pick([0, 0.1, 0.5, 0.9, 0.99, 1]),
      epsilon: numbers.pick([1e-5, 1e-3, 0.1]),
      center: numbers.chance(0.8),
      scale: numbers.chance(0.8),
      trainable: numbers.chance(0.8),
      varianceEstimator: numbers.pick(this.#supports.varianceEstimators),
      nonFinite: "propagate",
    };
  }

  /** A tensor. One with a name may not be written to: it is read again when all is over. */
  #upload(name: string | null, data: Float32Array | Uint8Array, shape: readonly number[]): Tensor {
    const tensor = this.#backend.upload({ data, shape });
    if (name === null) return tensor;
    this.#last.push(async () => {
      const again: ArrayLike<number> = (await this.#backend.download(tensor)).data;
      const same = (value: number, k: number): boolean => (data instanceof Uint8Array ? !value === !again[k] : value === again[k]);
      this.#expect(again.length === data.length && (data as Float32Array).every(same), `${name} was written to.`);
    });
    return tensor;
  }

  /** Whether to pass an output buffer: a fresh one, or the input itself where that is allowed. */
  #buffer(mayBeOver: boolean): "fresh" | "over" | null {
    if (!this.#supports.out || !this.#numbers.chance(this.#options.out)) return null;
    return mayBeOver && this.#numbers.chance(0.4) ? "over" : "fresh";
  }

  #nines(shape: readonly number[]): Tensor {
    return this.#backend.upload({ data: new Float32Array(sizeOf(shape)).fill(9), shape });
  }

  /** Reads now, half of the time, and when all is over: later calls may not have written to it. */
  #readings<Value>(read: () => Promise<Value>): Promise<Value>[] {
    const later = quiet(new Promise<Value>((resolve, reject) => this.#last.push(() => read().then(resolve, reject))));
    return this.#numbers.chance(0.5) ? [later] : [this.#wait(read()), later];
  }

  /** Does something now. It is waited for before the next deed, unless deeds are to overlap. */
  #begin<Value>(action: () => Value | Promise<Value>): Promise<Value> {
    try {
      return this.#wait(Promise.resolve(action()));
    } catch (error) {
      return this.#wait(Promise.reject(error));
    }
  }

  #wait<Value>(promise: Promise<Value>): Promise<Value> {
    this.#waiting.push(quiet(promise));
    return promise;
  }

  async #answers(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    await Promise.all(waiting);
  }

  #refused(code: string, what: string, action: () => unknown): void {
    const refusal = async (): Promise<void> => {
      let found: unknown = "nothing";
      try {
        await action();
      } catch (error) {
        found = (error as { code?: unknown } | null)?.code;
      }
      this.#expect(found === code, `${what} was refused with ${String(found)}, expected ${code}.`);
    };
    this.#wait(refusal());
  }

  #expect(holds: boolean, otherwise: string): void {
    if (!holds) this.#violations.push(otherwise);
  }
}

/** Its failure is found when it is awaited, not before. */
function quiet<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => undefined);
  return promise;
}
