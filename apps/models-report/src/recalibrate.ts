import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { readModel, readStates, writeModel } from "@batchnorm/onnx-model";
import { type Feeds, mergePartials, type Partial, recalibrate } from "@batchnorm/onnx-model/execute";
import { fromJSON } from "@batchnorm/spec/convert";
import * as ort from "onnxruntime-node";
import { bytesOf, tensorsOf } from "../../../packages/onnx-model/test/fixtures.ts";
import { digitsBatches } from "./digits-batches.ts";
import { resnet18 } from "./resnet18.ts";

/** How far recalibrated statistics are from those that NumPy computes in float64, rounds `one` and `exact`. */
export interface RecalibrateError {
  readonly rounds: "one" | "exact";
  readonly batchSize: number;
  /** The largest difference of a mean as a share of its deviation, and of a variance as a share of itself, by layer. */
  readonly layers: readonly { readonly layer: string; readonly mean: number; readonly variance: number }[];
}

export interface RecalibrateTime {
  readonly model: string;
  readonly batch: string;
  /**
   * Milliseconds of processor time, of one thread, since a busy machine makes nothing of the clock's: inference of a batch,
   * one more batch of a recalibration, how much of that the runtime takes, and what a recalibration takes besides.
   */
  readonly plain: number;
  readonly recalibrate: number;
  readonly runtime: number;
  readonly fixed: number;
  readonly multiple: number;
}

export interface WorkersTime {
  readonly workers: number;
  readonly milliseconds: number;
  /** SHA-256 of the merged model: the same for any number of workers. */
  readonly hash: string;
}

export interface RecalibrateFigures {
  readonly errors: readonly RecalibrateError[];
  readonly times: readonly RecalibrateTime[];
  readonly workers: readonly WorkersTime[];
}

/** What `recalibrate-main.ts` measured: it takes a quiet machine, so the report only reads it. */
export const RECALIBRATE_FILE: URL = new URL("../data/recalibrate.json", import.meta.url);

const DIGITS = "recalibration/digits.onnx";
const ROUNDS = 5;

export async function recalibrateFigures(): Promise<RecalibrateFigures> {
  return { errors: await errors(), times: await times(), workers: await workers() };
}

/** The figures as Markdown. */
export function recalibrateTables({ errors: all, times: measured, workers: spread }: RecalibrateFigures): readonly string[] {
  const row = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
  const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] => [
    row(head),
    row(head.map(() => "---")),
    ...rows.map(row),
  ];
  const names = all[0].layers.map(({ layer }) => layer);
  const same = new Set(spread.map(({ hash }) => hash)).size === 1;
  return [
    "## Recalibration",
    "",
    "300 images of the digits training set; statistics beside those of NumPy in float64, the net's products included. Largest difference of",
    "a mean in deviations, and of a variance as a share of it; half a step of float32 is 6e-8. The net itself computes in float32, so what",
    "later layers read is off by the roundings before them; pixel_norm reads the data.",
    "",
    ...table(
      ["rounds", "batch size", ...names.map((name) => `${name}: mean, variance`)],
      all.map(({ rounds, batchSize, layers }) => [
        rounds,
        batchSize,
        ...layers.map(({ mean, variance }) => `${mean.toExponential(0)}, ${variance.toExponential(0)}`),
      ]),
    ),
    "",
    `Milliseconds of processor time on one thread, medians of ${ROUNDS}, taking turns: inference of a batch, and one more batch of`,
    "`recalibrate`, with the runtime's part of it; the rest are the moments. Analysis, the session and writing are paid once, whatever the",
    "number of batches. What the layers read are outputs for this. So the runtime does not fuse a Conv with its layer, which is one more pass",
    "over what the Conv gives, and brings that from its own layout into that of ONNX, which is another one; the moments are the third. Beside",
    "them stand the net's products for each of these numbers: the narrower the net, the fewer.",
    "",
    ...table(
      ["model", "batch", "inference", "recalibrate", "the runtime", "multiple", "once"],
      measured.map(({ model, batch, plain, recalibrate: more, runtime, multiple, fixed }) => [
        model,
        batch,
        plain.toPrecision(3),
        more.toPrecision(3),
        runtime.toPrecision(3),
        `${multiple.toFixed(2)}x`,
        fixed.toFixed(0),
      ]),
    ),
    "",
    `ResNet-18 of width 16, 24 batches of 32 in 8 shards, one thread for each worker, starting it included; ${same ? "the result has the same bits" : "THE BITS DIFFER"}.`,
    "",
    ...table(
      ["workers", "seconds"],
      spread.map(({ workers: count, milliseconds }) => [count, (milliseconds / 1000).toFixed(1)]),
    ),
    "",
  ];
}

async function errors(): Promise<RecalibrateError[]> {
  const known = tensorsOf("recalibration/digits.tensors.safetensors");
  const model = readModel(bytesOf({ file: DIGITS }));
  const results: RecalibrateError[] = [];
  for (const rounds of ["one", "exact"] as const) {
    for (const batchSize of [1, 7, 32, 300]) {
      const result = await recalibrate(model, { ort, rounds, batches: digitsBatches(ort, batchSize) });
      const { states } = await readStates(result.model);
      const layers = Object.entries(states).map(([layer, json]) => {
        const { movingMean, movingVariance } = fromJSON(json).state.statistics;
        const mean = known.get(`${rounds}/${layer}/movingMean`)!.data;
        const variance = known.get(`${rounds}/${layer}/movingVariance`)!.data;
        return {
          layer,
          mean: Math.max(...Array.from(movingMean, (value, c) => Math.abs(value - mean[c]) / Math.sqrt(variance[c]))),
          variance: Math.max(...Array.from(movingVariance, (value, c) => Math.abs(value - variance[c]) / variance[c])),
        };
      });
      results.push({ rounds, batchSize, layers });
    }
  }
  return results;
}

export async function times(): Promise<RecalibrateTime[]> {
  const digits = bytesOf({ file: DIGITS });
  const narrow = bytesOf({ file: "torch/resnet18-torchscript-preserve-eval.onnx" });
  return [
    await timeOf("digits CNN", digits, digitsBatches(ort, 64), "64 x 1 x 8 x 8", 300),
    await timeOf("ResNet-18, width 2", narrow, batchesOf("x", [64, 3, 16, 16]), "64 x 3 x 16 x 16", 200),
    await timeOf("ResNet-18, width 16", resnet18(16, 64), batchesOf("image", [32, 3, 64, 64]), "32 x 3 x 64 x 64", 30),
    await timeOf("ResNet-18, width 32", resnet18(32, 64), batchesOf("image", [32, 3, 64, 64]), "32 x 3 x 64 x 64", 12),
    await timeOf("ResNet-18, width 64", resnet18(64, 224), batchesOf("image", [4, 3, 224, 224]), "4 x 3 x 224 x 224", 6),
  ];
}

/** Whole batches of one size, again and again. */
function batchesOf(name: string, shape: readonly number[]): Feeds[] {
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  return [0, 1].map((k) => ({
    [name]: new ort.Tensor(
      "float32",
      Float32Array.from({ length: size }, (_, i) => Math.sin(i * i + k)),
      shape,
    ),
  }));
}

async function timeOf(name: string, bytes: Uint8Array, some: readonly Feeds[], batch: string, count: number): Promise<RecalibrateTime> {
  const whole = some.filter((feeds) => Object.values(feeds)[0].dims[0] === Object.values(some[0])[0].dims[0]);
  const batches = Array.from({ length: count }, (_, k) => whole[k % whole.length]);
  const model = readModel(bytes);
  const sessionOptions = { intraOpNumThreads: 1, logSeverityLevel: 3 } as const;
  const session = await ort.InferenceSession.create(bytes, sessionOptions);
  const results = { plain: [] as number[], recalibrate: [] as number[], runtime: [] as number[], fixed: [] as number[] };
  for (let round = 0; round <= ROUNDS; round++) {
    const start = now();
    for (const feeds of batches) await session.run(feeds);
    const plain = (now() - start) / count;
    const runs = { milliseconds: 0 };
    const marks: { readonly at: number; readonly runs: number }[] = [];
    const begin = now();
    const onProgress = (): void => void marks.push({ at: now(), runs: runs.milliseconds });
    await recalibrate(model, { ort: timed(runs), batches, sessionOptions, onProgress });
    const all = now() - begin;
    // From the third on: the second one tries whether the runtime writes into the outputs of the first.
    const [from, to] = [marks[1], marks[count - 1]];
    const each = (to.at - from.at) / (count - 2);
    if (round === 0) continue;
    results.plain.push(plain);
    results.recalibrate.push(each);
    results.runtime.push((to.runs - from.runs) / (count - 2));
    results.fixed.push(all - count * each);
  }
  await session.release();
  const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];
  const [plain, each, runtime, fixed] = [results.plain, results.recalibrate, results.runtime, results.fixed].map(median);
  // Round by round: what else the machine did in one met both.
  const multiple = median(results.recalibrate.map((value, k) => value / results.plain[k]));
  return { model: name, batch, plain, recalibrate: each, runtime, fixed, multiple };
}

/** Milliseconds of processor time so far. */
function now(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** onnxruntime, adding up what its runs take. */
function timed(runs: { milliseconds: number }): typeof ort {
  const create = async (...given: Parameters<typeof ort.InferenceSession.create>): Promise<ort.InferenceSession> => {
    const session = await ort.InferenceSession.create(...given);
    const run = session.run.bind(session);
    session.run = (async (...feeds: Parameters<typeof run>) => {
      const start = now();
      try {
        return await run(...feeds);
      } finally {
        runs.milliseconds += now() - start;
      }
    }) as typeof run;
    return session;
  };
  return { Tensor: ort.Tensor, InferenceSession: { create } } as unknown as typeof ort;
}

const SHARDS = 8;

/** So many processes, each with every n-th shard. Starting them is in the time. */
async function workers(): Promise<WorkersTime[]> {
  const bytes = resnet18(16, 64);
  const results: WorkersTime[] = [];
  for (const count of [1, 2, 4]) {
    const start = performance.now();
    const shards = Array.from({ length: SHARDS }, (_, k) => k + 1);
    const all = await Promise.all(
      Array.from({ length: count }, (_, worker) => measuredBy(shards.filter((shard) => shard % count === worker % count))),
    );
    const { model } = await mergePartials(readModel(bytes), all.flat());
    const milliseconds = performance.now() - start;
    results.push({ workers: count, milliseconds, hash: createHash("sha256").update(writeModel(model)).digest("hex") });
  }
  return results;
}

function measuredBy(shards: readonly number[]): Promise<readonly Partial[]> {
  const script = fileURLToPath(new URL("recalibrate-worker.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=@batchnorm/source", script, ...shards.map(String)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const parts: Buffer[] = [];
  child.stdout.on("data", (part: Buffer) => void parts.push(part));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0) resolve(JSON.parse(Buffer.concat(parts).toString("utf8")) as Partial[]);
      else reject(new Error(`A worker ended with ${status}.`));
    });
  });
}
