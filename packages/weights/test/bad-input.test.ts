import { dirname, join } from "node:path";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { type ReadWeightsOptions, readWeights } from "../src/index.ts";
import { refusalOf } from "./expect-layers.ts";
import { bytesOf } from "./files.ts";

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

/** The error of reading, whose code has to be this one, and whose message has to say this. */
async function expectRefusal(bytes: Uint8Array, code: string, words: string, options?: ReadWeightsOptions): Promise<void> {
  const error = await refusalOf(() => readWeights(bytes, options));
  expect(error).toMatchObject({ code });
  expect(error.message).toContain(words);
  expect(error.message.length).toBeLessThan(400);
}

describe("no weight file at all", () => {
  test.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array()],
    ["one byte", Uint8Array.of(0x89)],
    ["zeros", new Uint8Array(100)],
    ["text", encode("hello")],
    ["an image", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)],
  ])("%s", async (_, bytes) => {
    await expectRefusal(bytes, "invalid-file", "none of the known formats");
  });

  test.each([null, undefined, "model.keras", [1, 2], new ArrayBuffer(8), {}])("%s instead of bytes", async (value) => {
    await expectRefusal(value as never, "invalid-argument", "Uint8Array");
  });

  test("HDF5 that is no model's", async () => {
    await expectRefusal(bytesOf("hdf5/features.h5"), "invalid-file", "not of a Keras model");
  });
});

test("bytes of another realm, and shared ones", async () => {
  for (const name of ["keras/functional.keras", "keras/functional.h5", "pytorch/net.safetensors", "tfjs/layers/model.json"]) {
    const bytes = bytesOf(name);
    const readCompanion = (path: string): Promise<Uint8Array> => Promise.resolve(elsewhere(bytesOf(join(dirname(name), path))));
    const read = await readWeights(elsewhere(bytes), { readCompanion });
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    expect(JSON.stringify(await readWeights(shared, { readCompanion }))).toBe(JSON.stringify(read));
    expect(read.layers.length).toBeGreaterThan(0);
  }
});

/** As an iframe's, or those of Jest's jsdom. */
function elsewhere(bytes: Uint8Array): Uint8Array {
  return runInNewContext("Uint8Array.from(bytes)", { bytes }) as Uint8Array;
}

test("bytes in the middle of a buffer, at an odd offset", async () => {
  for (const name of ["keras/functional.keras", "keras/functional.h5", "pytorch/net.safetensors"]) {
    const bytes = bytesOf(name);
    const pool = Buffer.alloc(bytes.length + 11, 0xff);
    pool.set(bytes, 3);
    const inside = pool.subarray(3, 3 + bytes.length);
    const read = await readWeights(inside);
    pool.fill(0xff);
    // The result is a copy: it does not change with the buffer.
    expect(JSON.stringify(read)).toBe(JSON.stringify(await readWeights(bytes)));
  }
});

describe("a zip archive", () => {
  const good = bytesOf("keras/images.keras");
  const packed = bytesOf("keras/images.compressed.keras");
  const directory = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 6, true);

  /** An archive with some bytes of the entry of its first file, metadata.json, or of its second, config.json, changed. */
  function change(bytes: Uint8Array, entry: 0 | 1, offset: number, value: number, size: 2 | 4): Uint8Array {
    const copy = Uint8Array.from(bytes);
    const view = new DataView(copy.buffer);
    let at = directory(copy);
    if (entry === 1) at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (size === 2) view.setUint16(at + offset, value, true);
    else view.setUint32(at + offset, value, true);
    return copy;
  }

  test.each<[string, Uint8Array, string, string]>([
    ["cut off", good.subarray(0, good.length - 30), "invalid-file", "no directory"],
    ["empty", Uint8Array.of(0x50, 0x4b, 5, 6, ...new Uint8Array(18)), "invalid-file", "not a .keras file"],
    ["with a directory of other entries", change(good, 1, 0, 0, 4), "invalid-file", "directory"],
    ["with a name that is longer than the directory", change(good, 1, 28, 0xffff, 2), "invalid-file", "directory"],
    ["with another length of a stored file", change(good, 1, 24, 7, 4), "invalid-file", "two lengths"],
    ["with a shorter packed length", change(packed, 1, 20, 20, 4), "invalid-file", "config.json"],
    ["with a shorter unpacked length", change(packed, 1, 24, 20, 4), "invalid-file", "another length"],
    ["that unpacks to 3 GB", change(packed, 1, 24, 3e9, 4), "invalid-file", "unpacks to too much"],
    ["with a file beyond its end", change(good, 1, 42, 0x7fffffff, 4), "invalid-file", "not where the directory says"],
    ["with another checksum", change(good, 1, 16, 1, 4), "invalid-file", "damaged"],
    ["that is encrypted", change(good, 1, 8, 1, 2), "unsupported-format", "encrypted"],
    ["with another compression", change(good, 1, 10, 12, 2), "unsupported-format", "compression"],
    ["of zip64", change(good, 1, 42, 0xffffffff, 4), "unsupported-format", "zip64"],
  ])("%s", async (_, bytes, code, words) => {
    await expectRefusal(bytes, code, words);
  });

  test.each(["../adata.json", "/etadata.json", "c:tadata.json", "..\\adata.json"])("with a file called %s", async (name) => {
    const copy = Uint8Array.from(good);
    copy.set(encode(name), directory(copy) + 46);
    await expectRefusal(copy, "invalid-file", "may leave the folder");
  });

  test("with a file twice", async () => {
    const name = "config.json";
    const copy = Buffer.from(bytesOf("keras/images.keras"));
    // metadata.json becomes a second config.json in the directory, two letters shorter and with a longer extra field.
    const at = directory(copy);
    copy.write(name, at + 46);
    copy.writeUInt16LE(name.length, at + 28);
    copy.writeUInt16LE(copy.readUInt16LE(at + 30) + 2, at + 30);
    await expectRefusal(copy, "invalid-file", "twice");
  });

  test("a bit that flipped in the weights is found by the checksum", async () => {
    const copy = Uint8Array.from(good);
    copy[Buffer.from(good).indexOf("TREE") + 1000] ^= 1;
    await expectRefusal(copy, "invalid-file", "model.weights.h5 in the zip archive is damaged");
  });
});

describe("safetensors", () => {
  const file = (header: unknown, data = new Uint8Array(12)): Uint8Array => {
    const text = encode(header);
    const bytes = new Uint8Array(8 + text.length + data.length);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(text, 8);
    bytes.set(data, 8 + text.length);
    return bytes;
  };
  const tensor = (from: number, to: number, more: object = {}): object => ({ dtype: "F32", shape: [3], data_offsets: [from, to], ...more });

  test("a sound one", async () => {
    const { layers } = await readWeights(file({ "a.running_mean": tensor(0, 12), __metadata__: { format: "pt" } }));
    expect(layers).toMatchObject([{ name: "a", reason: { code: "invalid-file" } }]);
  });

  test.each<[string, unknown, string]>([
    ["a header that is no JSON", "{xxx", "not JSON"],
    ["a dtype that is no name", { a: tensor(0, 12, { dtype: 5 }) }, "no dtype"],
    ["another dtype than the data's", { a: tensor(0, 12, { dtype: "F64" }) }, "does not fill its shape"],
    ["a negative dimension", { a: tensor(0, 12, { shape: [-3] }) }, "no shape"],
    ["a huge shape", { a: tensor(0, 12, { shape: [2 ** 40, 2 ** 40] }) }, "does not fill its shape"],
    ["an end before the begin", { a: tensor(12, 0) }, "no place"],
    ["data beyond the end", { a: tensor(0, 12), b: tensor(12, 24) }, "another length"],
    ["overlapping data", { a: tensor(0, 12), b: tensor(0, 12) }, "overlaps"],
    ["a gap", { a: { dtype: "F32", shape: [1], data_offsets: [8, 12] } }, "gap"],
    ["data of nobody", {}, "another length"],
    ["a tensor that is no object", { a: null }, "not described"],
  ])("%s", async (_, header, words) => {
    await expectRefusal(file(header), "invalid-file", words);
  });

  test("a header longer than the file", async () => {
    const bytes = file({ a: tensor(0, 12) });
    new DataView(bytes.buffer).setBigUint64(0, 2n ** 63n, true);
    await expectRefusal(bytes, "invalid-file", "none of the known formats");
  });

  test("an unknown dtype of a layer is its reason; of another tensor it is nobody's business", async () => {
    const { layers } = await readWeights(
      file({ "a.running_mean": tensor(0, 3, { dtype: "F8_NEW" }), other: tensor(3, 12, { dtype: "F4" }) }),
    );
    expect(layers).toMatchObject([{ name: "a", state: null, storedAs: "F8_NEW" }]);
  });
});

describe("JSON", () => {
  const weight = (more: object = {}): object => ({ name: "n/moving_mean", shape: [1], dtype: "float32", ...more });
  const model = (weights: unknown, paths: unknown = ["w.bin"]): Uint8Array =>
    encode({ modelTopology: {}, weightsManifest: [{ paths, weights }] });
  const readCompanion = async (): Promise<Uint8Array> => new Uint8Array(4);

  test.each<[string, Uint8Array, string]>([
    ["that is none of a model", encode({ hello: 1 }), "none of a model"],
    ["that is cut off", encode('{"weightsManifest": ['), "not JSON"],
    ["that is no UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d), "not JSON"],
    ["whose manifest is no list", encode({ weightsManifest: 3 }), "weightsManifest"],
    ["with a group that is none", encode({ weightsManifest: [null] }), "incomplete"],
    ["with a path that leaves the folder", model([], ["../w.bin"]), "may leave the folder"],
    ["with an absolute path", model([], ["/etc/passwd"]), "may leave the folder"],
    ["with an address", model([], ["https://example.org/w.bin"]), "may leave the folder"],
    ["with a path that is none", model([], [7]), "may leave the folder"],
    ["with a weight that is none", model([3]), "not described"],
    ["with a shape that is none", model([weight({ shape: "x" })]), "no shape"],
    ["with an unknown dtype", model([weight({ dtype: "__proto__" })]), "unknown dtype"],
    ["with an unknown quantization", model([weight({ quantization: { dtype: "uint4" } })]), "quantization"],
    ["with a quantization without numbers", model([weight({ quantization: { dtype: "uint8" } })]), "quantization"],
    ["with more weights than data", model([weight({ shape: [1e9] })]), "missing"],
    ["with texts longer than the data", model([weight({ dtype: "string", shape: [1e15] })]), "short"],
    ["with less weights than data", model([]), "another length"],
    ["with a weight twice", model([weight({ shape: [0] }), weight()]), "twice"],
    ["with a weight map that is none", encode({ weight_map: [] }), "weight_map"],
    ["with a weight map of numbers", encode({ weight_map: { a: 1 } }), "no file name"],
    ["with shards of no format", encode({ weight_map: { a: "x" } }), "not all of one known format"],
  ])("%s", async (_, bytes, words) => {
    await expectRefusal(bytes, "invalid-file", words, { readCompanion });
  });

  test("after a byte order mark", async () => {
    await expectRefusal(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d), "invalid-file", "none of a model");
  });

  test("with a shard that lacks a tensor, and with shards of two formats", async () => {
    const shard = bytesOf("pytorch/net-00001-of-00002.safetensors");
    const files: Record<string, Uint8Array> = { a: shard, b: bytesOf("keras/images_00000.weights.h5") };
    const options = { readCompanion: async (path: string) => files[path] };
    await expectRefusal(encode({ weight_map: { absent: "a" } }), "invalid-file", "not in its shard", options);
    await expectRefusal(encode({ weight_map: { x: "a", y: "b" } }), "invalid-file", "not all of one known format", options);
    await expectRefusal(encode({ weight_map: { x: "b", y: "a" } }), "invalid-file", "not all of one known format", options);
  });

  test("without a way to read other files", async () => {
    await expectRefusal(model([]), "invalid-argument", "readCompanion");
  });

  test("with a file that is not there: the reason is the cause", async () => {
    const cause = new Error("ENOENT");
    const error = await refusalOf(() => readWeights(model([]), { readCompanion: () => Promise.reject(cause) }));
    expect(error).toMatchObject({ code: "invalid-file", received: "w.bin", cause });
  });

  test("with a reader that gives no bytes", async () => {
    await expectRefusal(model([]), "invalid-argument", "gave no bytes", { readCompanion: async () => "text" as never });
  });

  test("10000 models within each other", async () => {
    const depth = 10_000;
    const config = `${'{"class_name":"Sequential","config":{"layers":['.repeat(depth)}${"]}}".repeat(depth)}`;
    await expectRefusal(encode(config), "invalid-file", "nested too deeply", {
      readCompanion: async () => bytesOf("keras/images/model.weights.h5"),
    });
  });

  test("Python's NaN and Infinity are read", async () => {
    const text = new TextDecoder().decode(bytesOf("keras/images/config.json"));
    const config = encode(text.replace('"trainable": true', '"trainable": true, "threshold": -Infinity, "text": "NaN\\" Infinity"'));
    const weights = bytesOf("keras/images/model.weights.h5");
    const { layers } = await readWeights(config, { readCompanion: async () => weights });
    expect(layers.map(({ reason }) => reason)).toEqual([null]);
  });
});
