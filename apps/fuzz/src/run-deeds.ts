import type { AnyBackend, Outputs } from "@batchnorm/conformance";
import { type BatchNormState, maskShape, sizeOf } from "@batchnorm/spec";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { CHANNELS, type Data, type Deed, type MaskKind, type Misuse, type Sequence } from "./deeds.ts";

type Layer = ReturnType<AnyBackend["create"]>;

/** What came of one deed: the code of a refusal, or what was given. */
export interface Outcome {
  /** "ok", or the code of the error; of an error without one, its message. */
  readonly code: string;
  readonly outputs: Partial<Outputs>;
  readonly state: BatchNormState | null;
}

/**
 * Lets a sequence happen on a backend. `statesOfCalls` reads the state after every call, too, which could hide that a backend
 * updates it too late: for the reference alone.
 */
export async function runDeeds(backend: AnyBackend, { config, seed, deeds }: Sequence, statesOfCalls: boolean): Promise<Outcome[]> {
  const layer = backend.create(config, initialStateOf(config, seed));
  const outcomes: Outcome[] = [];
  let shape: readonly number[] = [1, CHANNELS];
  for (const deed of deeds) {
    if (deed.kind === "call") shape = deed.shape;
    try {
      const outcome = await perform(backend, layer, deed, config, shape);
      const state = statesOfCalls && deed.kind === "call" ? await layer.state() : null;
      outcomes.push({ code: "ok", outputs: {}, state, ...outcome });
    } catch (error) {
      outcomes.push({ code: codeOf(error), outputs: {}, state: null });
    }
  }
  await layer.dispose();
  return outcomes;
}

async function perform(
  backend: AnyBackend,
  layer: Layer,
  deed: Deed,
  config: Sequence["config"],
  shape: readonly number[],
): Promise<Partial<Outcome>> {
  switch (deed.kind) {
    case "call": {
      const { training, gradient, mask } = deed;
      const x = backend.upload({ data: elements(deed.x, shape), shape });
      const options = {
        training,
        ...(gradient !== null && { gradient }),
        ...(mask !== null && { mask: maskTensor(backend, mask, shape, config.axis) }),
      };
      return { outputs: { y: await read(backend, await layer.call(x, options)) } };
    }
    case "backward": {
      const { dx, dgamma, dbeta } = await layer.backward(backend.upload({ data: elements(deed.dy, shape), shape }));
      return { outputs: { dx: await read(backend, dx), dgamma: await read(backend, dgamma), dbeta: await read(backend, dbeta) } };
    }
    case "set-parameters":
      await layer.setState({ parameters: present({ ...initialStateOf(config, deed.seed).parameters }) });
      return {};
    case "set-state": {
      const { parameters, statistics } = initialStateOf(config, deed.seed);
      await layer.setState({ parameters: present({ ...parameters }), statistics });
      return {};
    }
    case "state":
      return { state: await layer.state() };
    case "misuse":
      await misuse(backend, layer, deed.which, config);
      return {};
    default:
      await layer[deed.kind]();
      return {};
  }
}

/** The wrong things that tired users do. */
async function misuse(backend: AnyBackend, layer: Layer, which: Misuse, { axis }: Sequence["config"]): Promise<void> {
  const zeros = (shape: readonly number[]) => backend.upload({ data: new Float32Array(sizeOf(shape)), shape });
  const wrong: Readonly<Record<Misuse, () => unknown>> = {
    channels: () => layer.call(zeros([4, CHANNELS + 1]), { training: true }),
    "rank-1": () => layer.call(zeros([CHANNELS])),
    "data-length": () => backend.upload({ data: new Float32Array(5), shape: [2, CHANNELS] }),
    "empty-training": () => layer.call(zeros([0, CHANNELS]), { training: true }),
    "mask-shape": () => layer.call(zeros([4, CHANNELS]), { training: true, mask: maskTensor(backend, "all", [5, CHANNELS], axis) }),
    "mask-number": () => layer.call(zeros([4, CHANNELS]), { mask: 1 }),
    "gradient-shape": () => layer.backward(zeros([11, CHANNELS])),
    "unknown-option": () => layer.call(zeros([4, CHANNELS]), { trainig: true } as never),
    "option-type": () => layer.call(zeros([4, CHANNELS]), { training: "yes" } as never),
    "null-tensor": () => layer.call(null),
    "negative-variance": () => layer.setState({ statistics: { movingVariance: [1, -1, 1] } }),
    "wrong-length": () => layer.setState({ statistics: { movingMean: [1] } }),
    "unknown-field": () => layer.setState({ statistics: { runningMean: [1, 2, 3] } } as never),
    "null-state": () => layer.setState(null as never),
    "promise-state": () => layer.setState(Promise.resolve({}) as never),
  };
  await wrong[which]();
}

/** A state drawn from a seed. */
export function initialStateOf({ center, scale }: Pick<Sequence["config"], "center" | "scale">, seed: number): BatchNormState {
  const next = random(seed);
  const draw = (from: number, to: number): Float32Array => Float32Array.from({ length: CHANNELS }, () => from + (to - from) * next());
  return {
    parameters: { gamma: scale ? draw(-2, 2) : null, beta: center ? draw(-3, 3) : null },
    statistics: { movingMean: draw(-5, 5), movingVariance: draw(0.1, 4) },
  };
}

/** The parameters that there are: an absent one is left out of an update. */
function present<Values>(parameters: Readonly<Record<string, Values | null>>): Record<string, Values> {
  return Object.fromEntries(Object.entries(parameters).filter((entry): entry is [string, Values] => entry[1] !== null));
}

/** The elements of a tensor, uniform within 2 of the offset. */
export function elements({ seed, offset, nan }: Data, shape: readonly number[]): Float32Array {
  const next = random(seed);
  const values = Float32Array.from({ length: sizeOf(shape) }, () => offset + 4 * next() - 2);
  if (nan !== null && values.length > 0) values[Math.floor(nan * values.length)] = Number.NaN;
  return values;
}

/** One byte a place; of "some" two thirds are visible. */
export function maskBytes(kind: MaskKind, length: number): Uint8Array {
  const visible = {
    all: () => 1,
    none: () => 0,
    one: (k: number) => (k === length >> 1 ? 1 : 0),
    some: (k: number) => (k % 3 === 1 ? 0 : 1),
  };
  return Uint8Array.from({ length }, (_, k) => visible[kind](k));
}

function maskTensor(backend: AnyBackend, kind: MaskKind, shape: readonly number[], axis: number) {
  const places = maskShape(shape, axis);
  return backend.upload({ data: maskBytes(kind, sizeOf(places)), shape: places });
}

async function read(backend: AnyBackend, tensor: unknown): Promise<Float32Array | null> {
  return tensor === null ? null : ((await backend.download(tensor)).data as Float32Array);
}

function random(seed: number): () => number {
  const source = xoroshiro128plus(seed);
  return () => uniformFloat64(source);
}

function codeOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code ?? `an error without a code: ${message ?? String(error)}`;
}
