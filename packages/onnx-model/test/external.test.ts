import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ExternalData, type ExternalReader, externalPlace, readerOf } from "../src/file/external.ts";
import { readModel } from "../src/index.ts";
import { ElementType, EXTERNAL, type TensorProto, TensorProtoSchema } from "../src/proto/index.ts";
import { expectCode } from "./expect-code.ts";
import { Models } from "./model-builder.ts";

function outside(
  entries: Readonly<Record<string, string>>,
  dims: readonly bigint[] = [3n],
  dataType: number = ElementType.float32,
): TensorProto {
  const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
  return create(TensorProtoSchema, { name: "w", dims: [...dims], dataType, dataLocation: EXTERNAL, externalData });
}

function model(tensor: TensorProto): Uint8Array {
  const graph = new Models();
  graph.op("Add", [graph.input("x", [3]), graph.initializer(tensor)], {}, "y");
  return graph.output("y", [3]).bytes();
}

describe("where the data is", () => {
  test.each<[string, Readonly<Record<string, string>>, string]>([
    ["a folder above", { location: "../weights.bin" }, "leave the model's folder"],
    ["a folder above, further in", { location: "a/../../weights.bin" }, "leave the model's folder"],
    ["an absolute path", { location: "/etc/passwd" }, "leave the model's folder"],
    ["a backslash", { location: "a\\..\\..\\weights.bin" }, "leave the model's folder"],
    ["a share", { location: "\\\\server\\share" }, "leave the model's folder"],
    ["a drive", { location: "C:weights.bin" }, "leave the model's folder"],
    ["an address", { location: "http://example.org/w" }, "leave the model's folder"],
    ["a NUL", { location: "weights.bin\0.txt" }, "leave the model's folder"],
    ["no name", { location: "" }, "leave the model's folder"],
    ["the folder itself", { location: "./" }, "leave the model's folder"],
    ["no location", { offset: "0" }, "no location"],
    ["text for an offset", { location: "w", offset: "many" }, "wrong offset"],
    ["a negative offset", { location: "w", offset: "-4" }, "wrong offset"],
    ["an absurd offset", { location: "w", offset: "99999999999999999999" }, "wrong offset"],
    ["a fraction", { location: "w", length: "1.5" }, "wrong length"],
    ["hexadecimal", { location: "w", length: "0x0c" }, "wrong length"],
    ["a length that does not fit", { location: "w", length: "15" }, "does not fill"],
  ])("%s is refused when the model is read", async (_, entries, sentence) => {
    await expectCode("invalid-file", () => readModel(model(outside(entries))), sentence);
  });

  test("text cannot be outside", async () => {
    await expectCode("invalid-file", () => externalPlace(outside({ location: "w" }, [3n], ElementType.string)), "cannot be outside");
  });

  test("a path is given with slashes, and without detours", () => {
    expect(externalPlace(outside({ location: ".\\data//w.bin", offset: "8" }))).toEqual({ path: "data/w.bin", offset: 8, length: 12 });
    // What torch calls a file of one tensor.
    expect(externalPlace(outside({ location: "onnx::Conv_32" })).path).toBe("onnx::Conv_32");
  });
});

describe("ExternalData", () => {
  const bytes = Uint8Array.from({ length: 64 }, (_, k) => k);

  async function load(reader: ExternalReader | null, tensor: TensorProto): Promise<Uint8Array | null> {
    const data = new ExternalData(reader);
    expect(data.bytes(tensor)).toBeNull();
    expect(await data.load()).toBe(true);
    expect(await data.load()).toBe(false);
    return data.bytes(tensor);
  }

  test("reads what was asked for, once, and nothing else", async () => {
    const calls: unknown[] = [];
    const reader: ExternalReader = (...place) => {
      calls.push(place);
      return bytes.subarray(place[1], place[1] + place[2]);
    };
    // A file of 3 GB, of which 12 bytes are read.
    expect(await load(reader, outside({ location: "w", offset: "4", length: "12" }))).toEqual(bytes.subarray(4, 16));
    expect(calls).toEqual([["w", 4, 12]]);
  });

  test("reads from files at hand, whole or as blobs", async () => {
    for (const file of [bytes, new Blob([bytes])]) {
      expect(await load(readerOf({ "data/w": file }), outside({ location: "data/w", offset: "4" }))).toEqual(bytes.subarray(4, 16));
    }
  });

  test.each<[string, ExternalReader | null, string]>([
    ["no reader", null, "in another file"],
    ["a missing file", readerOf({}), "missing"],
    ["a file that is a name of every object", readerOf({}), "missing"],
    ["a file that is too short", readerOf({ w: new Uint8Array(11) }), "has not what it should"],
    ["a reader that gives the whole file", () => bytes, "has not what it should"],
    ["a reader that gives text", () => "w" as never, "no bytes"],
    ["a reader that throws", () => Promise.reject(new Error("ENOENT")), "ENOENT"],
  ])("%s is refused", async (title, reader, sentence) => {
    const location = title.includes("every object") ? "constructor" : "w";
    await expectCode("invalid-file", () => load(reader, outside({ location })), sentence);
  });

  test("an empty tensor is not read", async () => {
    expect(await load(() => Promise.reject(new Error("read")), outside({ location: "w" }, [0n]))).toEqual(new Uint8Array());
  });
});
