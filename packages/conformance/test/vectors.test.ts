import { readFileSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { channelView, maskShape } from "@batchnorm/spec";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { CLAUSES } from "../src/clauses.generated.ts";
import { type Manifest, OUTPUTS, type StoredCase, type StoredOutputs } from "../src/vectors/format.ts";
import type { HalfDType } from "../src/vectors/half.ts";
import { loadVectors, type ReadFile } from "../src/vectors/load.ts";
import { readVectors, VECTORS_DIRECTORY } from "../src/vectors/read.ts";
import { parseSafetensors, type StoredTensor } from "../src/vectors/safetensors.ts";

const FAMILIES = [
  "inference",
  "training",
  "trajectory",
  "modes",
  "gradient",
  "mask",
  "small",
  "stability",
  "edge",
  "sample",
  "pytorch",
  "half",
  "digits",
];

const schemas = fileURLToPath(new URL("../schemas/", import.meta.url));
const readJson = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));
const manifest = readJson(`${VECTORS_DIRECTORY}/manifest.json`) as Manifest;
const families = manifest.files.map(({ family, cases, json, data }) => {
  const stored = readJson(`${VECTORS_DIRECTORY}/${json.name}`) as { family: string; cases: StoredCase[] };
  return { family, count: cases, stored, tensors: parseSafetensors(readFileSync(`${VECTORS_DIRECTORY}/${data.name}`)) };
});
const all = families.flatMap(({ stored }) => stored.cases);

describe("the golden vectors", () => {
  it("are as many and of as many families as the manifest says", () => {
    expect(families.map(({ family }) => family).sort()).toEqual([...FAMILIES].sort());
    for (const { family, count, stored } of families) expect([stored.family, stored.cases.length]).toEqual([family, count]);
    expect(all.length).toBe(manifest.count);
    expect(all.length).toBeGreaterThanOrEqual(400);
  });

  it("fit their closed schemas", () => {
    const ajv = new Ajv2020({ allErrors: true });
    const validate = (schema: string, value: unknown): unknown => {
      const check = ajv.compile(readJson(`${schemas}/${schema}.schema.json`) as object);
      return check(value) ? [] : check.errors;
    };
    expect(validate("manifest", manifest)).toEqual([]);
    for (const { stored } of families) expect(validate("family", stored)).toEqual([]);
    // The schemas are closed at every level: a field more, and nothing fits.
    expect(validate("manifest", { ...manifest, comment: "" })).not.toEqual([]);
    const [first] = families[0].stored.cases;
    for (const wrong of [
      { ...first, comment: "" },
      { ...first, config: { ...first.config, eps: 1e-3 } },
      { ...first, steps: [{ ...first.steps[0], note: "" }] },
      { ...first, steps: [{ ...first.steps[0], truth: { ...first.steps[0].truth, z: "t0" } }] },
    ]) {
      expect(validate("family", { ...families[0].stored, cases: [wrong] })).not.toEqual([]);
    }
  });

  it("have ids that are unique and name their family", () => {
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    for (const { family, stored } of families)
      for (const { id } of stored.cases) expect(id).toMatch(new RegExp(`^${family}/[A-Za-z0-9.+-]+$`));
  });

  it("cite clauses that exist", () => {
    expect(all.map(({ clause }) => clause).filter((clause) => CLAUSES[clause] === undefined)).toEqual([]);
  });

  it("use every flag that the manifest explains, and no other", () => {
    expect([...new Set(all.flatMap(({ flags }) => flags))].sort()).toEqual(Object.keys(manifest.flags).sort());
  });

  it("say of every framework that is absent from a case that it is, and why", () => {
    const missing = all.flatMap(({ id, reference, steps }) =>
      steps.every(({ results }) => reference in results) ? [] : [`${reference} ${id}`],
    );
    const explained = new Set(manifest.absent.flatMap(({ framework, cases }) => cases.map((id) => `${framework} ${id}`)));
    expect(missing.filter((each) => !explained.has(each))).toEqual([]);
    const ids = new Set(all.map(({ id }) => id));
    expect(manifest.absent.flatMap(({ cases }) => cases).filter((id) => !ids.has(id))).toEqual([]);
  });

  it("are no more than 8 MB", () => {
    const bytes = manifest.files
      .flatMap(({ json, data }) => [json, data])
      .map(({ name, bytes }) => {
        expect(statSync(`${VECTORS_DIRECTORY}/${name}`).size).toBe(bytes);
        return bytes;
      });
    expect(bytes.reduce((total, each) => total + each, 0)).toBeLessThanOrEqual(8e6);
  });
});

/** What a tensor is read into: x, dy and what comes of them may be float32 numbers of half precision. */
type Kind = "Float32Array" | "Float64Array" | "Uint8Array" | HalfDType;
/** A name that is used, with what its tensor has to be. */
type Use = readonly [name: string | null, kind: Kind, shape: readonly number[]];

describe.each(families)("the tensors of $family", ({ stored, tensors }) => {
  it("exist, with the shape and dtype of their use", () => {
    for (const { id, config, state, steps } of stored.cases) {
      for (const [name, kind, shape] of usesOf(config, state, steps, tensors)) {
        if (name === null) continue;
        const tensor = tensors.get(name);
        expect([id, name, tensor?.dtype ?? tensor?.data.constructor.name, tensor?.shape]).toEqual([id, name, kind, shape]);
      }
    }
  });

  it("are all used", () => {
    const used = new Set(stored.cases.flatMap(({ config, state, steps }) => usesOf(config, state, steps, tensors).map(([name]) => name)));
    expect([...tensors.keys()].filter((name) => !used.has(name))).toEqual([]);
  });
});

function usesOf(
  config: StoredCase["config"],
  { parameters, statistics }: StoredCase["state"],
  steps: StoredCase["steps"],
  tensors: ReadonlyMap<string, StoredTensor>,
): Use[] {
  const channels = [channelView(tensors.get(steps[0].x)!.shape, config.axis).channels];
  const vectors = (names: Readonly<Record<string, string | null>>, kind: Kind): Use[] =>
    Object.values(names).map((name): Use => [name, kind, channels]);
  /** y and dx have the dtype of x; the truth is never rounded. */
  const outputs = (names: StoredOutputs, [ofX, others]: readonly [Kind, Kind], shape: readonly number[]): Use[] =>
    OUTPUTS.map((output): Use => (output === "y" || output === "dx" ? [names[output], ofX, shape] : [names[output], others, channels]));
  return [
    ...vectors({ ...parameters }, "Float32Array"),
    ...vectors({ ...statistics }, "Float32Array"),
    ...steps.flatMap(({ x, mask, dy, parameters: next, truth, results }): Use[] => {
      const { shape, dtype = "Float32Array" } = tensors.get(x)!;
      const { batchMean, batchVariance } = truth;
      return [
        [x, dtype, shape],
        [mask, "Uint8Array", maskShape(shape, config.axis)],
        [dy, dtype, shape],
        ...vectors({ ...next }, "Float32Array"),
        ...vectors({ batchMean, batchVariance }, "Float64Array"),
        ...outputs(truth, ["Float64Array", "Float64Array"], shape),
        ...Object.values(results).flatMap((result) => outputs(result, [dtype, "Float32Array"], shape)),
      ];
    }),
  ];
}

describe("loadVectors", () => {
  const read: ReadFile = (name) => readFile(`${VECTORS_DIRECTORY}/${name}`);

  it("loads all cases, and a sha256 that stands for them", async () => {
    const { cases, sha256 } = await readVectors();
    expect(cases.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each(manifest.files.flatMap(({ json, data }) => [json.name, data.name]))("refuses %s with one byte changed", async (changed) => {
    const tampered: ReadFile = async (name) => {
      const bytes = await read(name);
      if (name === changed) bytes[bytes.length >> 1] ^= 1;
      return bytes;
    };
    await expect(loadVectors(tampered)).rejects.toThrow(`Vectors: ${changed} was changed: its sha256 is`);
  });

  it("gives another sha256 for another manifest", async () => {
    const { sha256 } = await loadVectors(read);
    const reseeded: ReadFile = async (name) => {
      const bytes = await read(name);
      return name === "manifest.json" ? new TextEncoder().encode(JSON.stringify({ ...manifest, seed: 1 })) : bytes;
    };
    expect((await loadVectors(reseeded)).sha256).not.toBe(sha256);
  });

  it("refuses another version of the format", async () => {
    const next: ReadFile = async () => new TextEncoder().encode(JSON.stringify({ ...manifest, formatVersion: 2 }));
    await expect(loadVectors(next)).rejects.toThrow("the format is of version 2, expected 1");
  });

  it("says which file is missing", async () => {
    await expect(readVectors("/nowhere")).rejects.toThrow("/nowhere/manifest.json");
  });
});

describe("parseSafetensors", () => {
  const file = (header: object, data: Uint8Array): Uint8Array => {
    const text = new TextEncoder().encode(JSON.stringify(header));
    const bytes = new Uint8Array(8 + text.length + data.length);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(text, 8);
    bytes.set(data, 8 + text.length);
    return bytes;
  };

  it("reads every dtype of the vectors, at any alignment", () => {
    const data = new Uint8Array(17);
    data.set(new Uint8Array(Float64Array.of(-0.5).buffer), 1);
    data.set(new Uint8Array(Float32Array.of(2.5).buffer), 9);
    data.set([0x00, 0x3e, 0xc0, 0xbf], 13);
    data[0] = 1;
    const tensors = parseSafetensors(
      file(
        {
          __metadata__: { made: "by hand" },
          mask: { dtype: "BOOL", shape: [1], data_offsets: [0, 1] },
          truth: { dtype: "F64", shape: [], data_offsets: [1, 9] },
          x: { dtype: "F32", shape: [1, 1], data_offsets: [9, 13] },
          none: { dtype: "F32", shape: [0, 2], data_offsets: [13, 13] },
          half: { dtype: "F16", shape: [1], data_offsets: [13, 15] },
          brain: { dtype: "BF16", shape: [1], data_offsets: [15, 17] },
        },
        data,
      ),
    );
    expect([...tensors]).toEqual([
      ["mask", { data: Uint8Array.of(1), shape: [1] }],
      ["truth", { data: Float64Array.of(-0.5), shape: [] }],
      ["x", { data: Float32Array.of(2.5), shape: [1, 1] }],
      ["none", { data: new Float32Array(0), shape: [0, 2] }],
      ["half", { data: Float32Array.of(1.5), shape: [1], dtype: "float16" }],
      ["brain", { data: Float32Array.of(-1.5), shape: [1], dtype: "bfloat16" }],
    ]);
  });

  it.each([
    ["a dtype that it does not read", { dtype: "I32", shape: [1], data_offsets: [0, 4] }, "has the dtype I32"],
    ["a shape that the bytes do not fill", { dtype: "F32", shape: [2], data_offsets: [0, 4] }, "has 4 bytes, expected 8"],
    ["bytes beyond the file", { dtype: "F32", shape: [2], data_offsets: [0, 8] }, "inside the file"],
  ])("refuses %s", (_, entry, message) => {
    expect(() => parseSafetensors(file({ x: entry }, new Uint8Array(4)))).toThrow(message);
  });
});
