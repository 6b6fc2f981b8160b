import { readFileSync, writeFileSync } from "node:fs";
import { isBatchNormError } from "@batchnorm/spec";
import { describe, expect, it } from "vitest";
import { openDataFile } from "../src/data/data-file.ts";
import { fixture, temporaryFolder } from "./run.ts";

const file = temporaryFolder();

async function valuesOf(path: string, name: string): Promise<{ shape: readonly number[]; values: number[] }> {
  const { arrays, close } = await openDataFile(path);
  try {
    const array = arrays.get(name)!;
    return { shape: array.shape, values: [...(await array.rows(0, array.shape[0]))] };
  } finally {
    await close();
  }
}

async function refusal(path: string): Promise<string> {
  const error = await valuesOf(path, "").catch((caught: unknown) => caught);
  if (!isBatchNormError(error)) throw error;
  return error.code;
}

describe("NumPy's arrays", () => {
  it.each(["float32", "float64", "float32-big-endian", "float64-big-endian", "float16", "uint8", "int32", "int64", "fortran", "version-2"])(
    "are read: %s",
    async (kind) => {
      expect(await valuesOf(fixture(`recalibration/npy-${kind}.npy`), "")).toEqual({ shape: [2, 3], values: [0, 1, 2, 3, 4, 5] });
    },
  );

  it("are read in parts, also where they lie column by column", async () => {
    for (const kind of ["float32", "fortran"]) {
      const { arrays, close } = await openDataFile(fixture(`recalibration/npy-${kind}.npy`));
      expect([...(await arrays.get("")!.rows(1, 2))]).toEqual([3, 4, 5]);
      await close();
    }
  });

  it("may be empty, or of truth values", async () => {
    expect(await valuesOf(fixture("recalibration/npy-empty.npy"), "")).toEqual({ shape: [0, 3], values: [] });
    expect((await valuesOf(fixture("recalibration/npy-bool.npy"), "")).values).toEqual([0, 1, 1, 1, 1, 1]);
  });

  it("are refused where they are objects, truncated at any length, or something else", async () => {
    expect(await refusal(fixture("recalibration/npy-objects.npy"))).toBe("invalid-file");
    const whole = readFileSync(fixture("recalibration/npy-float32.npy"));
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(file("part.npy"), whole.subarray(0, length));
      expect(await refusal(file("part.npy"))).toBe("invalid-file");
    }
  });
});

describe("archives and safetensors", () => {
  it("hold arrays by their names", async () => {
    const { shape, values } = await valuesOf(fixture("recalibration/images-a.npz"), "images");
    const tensors = await openDataFile(fixture("recalibration/digits.tensors.safetensors"));
    expect(shape.slice(1)).toEqual([1, 8, 8]);
    expect(values.length).toBe(shape[0] * 64);
    expect((await tensors.arrays.get("input/image")!.rows(0, 8)).length).toBe(512);
    expect([...(await tensors.arrays.get("one/dense_norm/count")!.rows(0, 1))]).toEqual([300]);
    await tensors.close();
  });

  it("are refused where they are truncated", async () => {
    for (const name of ["images-a.npz", "digits.tensors.safetensors"]) {
      const whole = readFileSync(fixture(`recalibration/${name}`));
      for (const length of [8, 9, 100, 1000, whole.length - 1]) {
        writeFileSync(file(name), whole.subarray(0, length));
        expect(await refusal(file(name)), `${name} of ${length} bytes`).toBe("invalid-file");
      }
    }
  });
});
