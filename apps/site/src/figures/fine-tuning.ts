import { CLASSES, Network, type Samples, type Weights } from "./network.ts";
import { normalFrom, uniformFrom } from "./random.ts";

/** What a reader may choose. */
export interface FineTuningOptions {
  readonly batchSize: number;
  readonly momentum: number;
  /** Whether a batch has one class only, as consecutive frames of a video or sorted files have. */
  readonly sorted: boolean;
}

/** The test's share of right answers at the start, and after every `EVERY` steps. */
export interface FineTuningRun {
  readonly frozen: readonly number[];
  readonly notFrozen: readonly number[];
}

export const STEPS = 200;
const RATE = 0.02;
/** The test is taken every so many steps. */
export const EVERY = 4;
/** By how much the new task is turned against the old one, in radians. */
const TURN = 0.35;
const TEST: Samples = samples(300, 7, TURN);

let pretrained: Weights | null = null;

/** A network that knows the task before it was turned. It is trained once, by the first who asks. */
export function pretrain(): Weights {
  if (pretrained !== null) return pretrained;
  const network = new Network({ momentum: 0.99 }, Network.initial(normalFrom(1)));
  const data = samples(64 * 600, 2, 0);
  for (let step = 0; step < 600; step++) network.train(slice(data, step * 64, 64), 0.1);
  pretrained = network.weights();
  return pretrained;
}

/** Fine-tunes the network on the turned task twice, from the same weights and on the same batches: with its layer frozen, and without. */
export function fineTune({ batchSize, momentum, sorted }: FineTuningOptions): FineTuningRun {
  const data = samples(STEPS * batchSize, 11, TURN, sorted ? batchSize : 1);
  const run = (trainable: boolean): number[] => {
    const network = new Network({ momentum, trainable }, pretrain());
    const curve = [network.test(TEST).accuracy];
    for (let step = 0; step < STEPS; step++) {
      network.train(slice(data, step * batchSize, batchSize), RATE);
      if ((step + 1) % EVERY === 0) curve.push(network.test(TEST).accuracy);
    }
    return curve;
  };
  return { frozen: run(false), notFrozen: run(true) };
}

function samples(count: number, seed: number, turn: number, alike = 1): Samples {
  const [normal, uniform] = [normalFrom(seed), uniformFrom(seed + 1000)];
  const points = new Float32Array(2 * count);
  const classes = new Uint8Array(count);
  let kind = 0;
  for (let n = 0; n < count; n++) {
    if (n % alike === 0) kind = Math.floor(uniform() * CLASSES);
    const radius = 0.4 + 2.6 * uniform();
    const angle = turn + (kind / CLASSES) * 2 * Math.PI + radius * 0.9 + 0.22 * normal();
    classes[n] = kind;
    points.set([4 + radius * Math.cos(angle), -2 + radius * Math.sin(angle)], 2 * n);
  }
  return { points, classes };
}

function slice({ points, classes }: Samples, start: number, count: number): Samples {
  return { points: points.subarray(2 * start, 2 * (start + count)), classes: classes.subarray(start, start + count) };
}
