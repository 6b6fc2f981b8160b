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

/** Everything that can be done with a model, one after the other; what comes out has to be a model again. */
const USES: readonly ((model: OnnxModel) => Promise<OnnxModel | null>)[] = [
  async (model) => {
    await find(model);
    return null;
  },
  async (model) => {
    JSON.stringify(await inspect(model));
    return null;
  },
  async (model) => (await fold(model)).model,
  async (model) => (await fold(model, { float16: true })).model,
  async (model) => (await freeze(model, { all: true })).model,
  async (model) => {
    const { states } = await readStates(model);
    for (const state of Object.values(states)) (state.statistics.movingMean as number[])[0] = 0.5;
    return (await writeStates(model, states)).model;
  },
];

test(`${FILES} mutated models give typed errors only, and end`, { timeout: 600_000 }, async () => {
  expect(seeds.length).toBeGreaterThan(100);
  const random = new Random(SEED);
  const counts = new Map<string, number>();
  const count = (what: string): void => {
    counts.set(what, (counts.get(what) ?? 0) + 1);
  };
  for (let k = 0; k < FILES; k++) {
    const { id, bytes } = random.pick(seeds);
    const changed = random.below(3) === 0 ? mutateBytes(bytes, random) : mutateTree(ModelProtoSchema, bytes, random);
    const about = `file ${k} of seed ${SEED}, made of ${id}`;
    let model: OnnxModel;
    try {
      model = readModel({ bytes: changed, external });
    } catch (error) {
      if (!isBatchNormError(error)) throw new Error(`${about}: untyped error`, { cause: error });
      expect(error.message.length, about).toBeLessThan(600);
      count(error.code);
      continue;
    }
    count("read");
    // One use a file, so that there are files enough; all uses meet all kinds.
    const use = USES[k % USES.length];
    const started = performance.now();
    let result: OnnxModel | null = null;
    try {
      result = await use(model);
      count("used");
    } catch (error) {
      if (!isBatchNormError(error)) throw new Error(`${about}, use ${k % USES.length}: untyped error`, { cause: error });
      count(`use: ${error.code}`);
    }
    // No hang: seconds for a file of 12 kB, on however slow a machine.
    expect(performance.now() - started, about).toBeLessThan(20_000);
    if (result === null) continue;
    try {
      readModel({ bytes: writeModel(result), external });
    } catch (error) {
      throw new Error(`${about}, use ${k % USES.length}: what was made of the model is none`, { cause: error });
    }
  }
  // Both halves are met: files that are refused, and files that are read although something in them is changed.
  expect(counts.get("read")).toBeGreaterThan(FILES / 5);
  expect(counts.get("invalid-file")).toBeGreaterThan(FILES / 5);
  expect(counts.get("used")).toBeGreaterThan(FILES / 8);
});
