import { isBatchNormError } from "@batchnorm/spec";
import { expect, test } from "vitest";
import { readWeights, type WeightFile } from "../src/index.ts";
import { bytesOf } from "./files.ts";
import { Mutator } from "./mutate.ts";

const SEED = 20150211;
const PER_FILE = 250;

/** What a damaged file became: read, in whole or in part, or refused with a code of ours. */
async function outcomeOf(read: () => Promise<WeightFile>): Promise<string> {
  try {
    const file = await read();
    // Whatever was read is a state that can be written.
    JSON.stringify(file);
    return file.layers.every(({ reason }) => reason === null) ? "read" : "read in part";
  } catch (error) {
    if (isBatchNormError(error)) return error.code;
    throw error;
  }
}

const ALONE = [
  "keras/functional.weights.h5",
  "keras/images.keras",
  "keras/images.compressed.keras",
  "keras/bfloat16.keras",
  "keras/renorm.h5",
  "keras/subclassed.keras",
  "tf-keras/functional.h5",
  "tf-keras/functional.only-weights.h5",
  "tf-keras/images.keras",
  "hdf5/features.h5",
  "pytorch/net.safetensors",
  "pytorch/stem.pt",
];

test.each(ALONE)(`${PER_FILE} damaged copies of %s are read or refused`, async (name) => {
  const mutator = new Mutator(SEED);
  const bytes = bytesOf(name);
  const outcomes = new Map<string, number>();
  for (let index = 0; index < PER_FILE; index++) {
    const damaged = mutator.mutate(bytes);
    const outcome = await outcomeOf(() => readWeights(damaged)).catch((error: unknown) => {
      throw new Error(`copy ${index}`, { cause: error });
    });
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  // Damage of a few bytes in a file is mostly found, and a file that was never refused was never damaged.
  expect(outcomes.get("invalid-file") ?? 0).toBeGreaterThan(PER_FILE / 10);
});

const WITH_COMPANIONS: readonly (readonly [string, readonly string[]])[] = [
  ["tfjs/layers/model.json", ["group1-shard1of4.bin", "group1-shard2of4.bin", "group1-shard3of4.bin", "group1-shard4of4.bin"]],
  ["tfjs/layers.uint8/model.json", ["group1-shard1of1.bin"]],
  ["tfjs/graph/model.json", ["group1-shard1of1.bin"]],
  ["keras/images.weights.json", ["images_00000.weights.h5", "images_00001.weights.h5"]],
  ["pytorch/net.safetensors.index.json", ["net-00001-of-00002.safetensors", "net-00002-of-00002.safetensors"]],
  ["keras/images/config.json", ["model.weights.h5"]],
];

test.each(WITH_COMPANIONS)(`${PER_FILE} damaged copies of %s with its companions`, async (name, companions) => {
  const mutator = new Mutator(SEED);
  const folder = name.slice(0, name.lastIndexOf("/") + 1);
  const files = new Map([[name.slice(folder.length), bytesOf(name)]]);
  for (const companion of companions) files.set(companion, bytesOf(`${folder}${companion}`));
  const names = [...files.keys()];
  let refused = 0;
  for (let index = 0; index < PER_FILE; index++) {
    // One of the files, more often the first.
    const victim = mutator.below(2) === 0 ? names[0] : names[mutator.below(names.length)];
    const damaged = new Map(files).set(victim, mutator.mutate(files.get(victim)!));
    const readCompanion = async (path: string): Promise<Uint8Array> => {
      const bytes = damaged.get(path);
      if (bytes === undefined) throw new Error("no such file");
      return bytes;
    };
    const outcome = await outcomeOf(() => readWeights(damaged.get(names[0])!, { readCompanion }));
    if (!outcome.startsWith("read")) refused++;
  }
  expect(refused).toBeGreaterThan(PER_FILE / 10);
});

test(`${PER_FILE * 4} files of random bytes behind each signature`, async () => {
  const mutator = new Mutator(SEED);
  const signatures = [[0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a], [0x50, 0x4b, 3, 4], [0x7b], [0x20, 0, 0, 0, 0, 0, 0, 0, 0x7b], []];
  for (let index = 0; index < PER_FILE * 4; index++) {
    const bytes = Uint8Array.from({ length: mutator.below(400) }, () => mutator.below(256));
    for (const signature of signatures) {
      const outcome = await outcomeOf(() => readWeights(Uint8Array.from([...signature, ...bytes]), {}));
      expect(["invalid-file", "unsupported-format"]).toContain(outcome);
    }
  }
});
