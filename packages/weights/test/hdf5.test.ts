import { describe, expect, test } from "vitest";
import { type Hdf5Group, readHdf5 } from "../src/hdf5/file.ts";
import { readVector } from "../src/tensor.ts";
import { refusalOf } from "./expect-layers.ts";
import { bytesOf } from "./files.ts";

const features = readHdf5(bytesOf("hdf5/features.h5"));
const vector = (root: Hdf5Group, name: string): Float32Array => readVector(root.datasets.get(name)!);
const values = Float32Array.from({ length: 100 }, (_, index) => index);

describe("what h5py writes", () => {
  test("data in chunks, compressed, shuffled and with checksums", () => {
    expect(vector(features, "chunked")).toEqual(values);
    expect(vector(features, "compressed")).toEqual(values);
  });

  test("data in the header", () => {
    expect(vector(features, "compact")).toEqual(values.slice(0, 3));
  });

  test("texts of fixed and of variable length, one, many and empty", () => {
    const group = features.groups.get("texts")!;
    expect(group.texts("one")).toEqual(["ein Wort"]);
    expect(group.texts("fixed")).toEqual(["ab", "c"]);
    expect(group.texts("many")).toEqual(Array.from({ length: 300 }, (_, index) => `layer ${index}`));
    expect(group.texts("empty")).toEqual([""]);
    expect(group.texts("number")).toBeNull();
    expect(group.texts("absent")).toBeNull();
  });

  test("a group of more members than one node holds", () => {
    expect([...features.groups.get("many")!.groups.keys()].sort()).toEqual(Array.from({ length: 20 }, (_, k) => `group_${k}`).sort());
  });

  test("a symbolic link is not followed", () => {
    expect(features.datasets.has("chunked")).toBe(true);
    expect(features.datasets.has("soft_link")).toBe(false);
    expect(features.groups.has("soft_link")).toBe(false);
  });

  test.each([
    ["unknown_filter", "unsupported-format", "filter"],
    ["unwritten", "invalid-file", "never written"],
    ["unwritten_chunks", "invalid-file", "never written"],
    ["big_endian", "unknown-dtype", "big-endian float of 4 bytes"],
    ["integers", "unknown-dtype", "integer of 4 bytes"],
    ["compound", "unknown-dtype", "compound of 4 bytes"],
    ["external", "invalid-file", "another file"],
  ])("the dataset %s is refused when it is read", async (name, code, words) => {
    const error = await refusalOf(() => vector(features, name));
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(words);
  });

  test.each(["latest", "track_order"])("%s.h5 is of the newer form, and says so", async (name) => {
    const error = await refusalOf(() => readHdf5(bytesOf(`hdf5/${name}.h5`)));
    expect(error.code).toBe("unsupported-format");
    expect(error.message).toContain("which Keras writes");
  });
});

describe("what nobody writes", () => {
  const good = bytesOf("keras/images_00000.weights.h5");

  test("a group that contains itself", async () => {
    expect(await refusalOf(() => readHdf5(bytesOf("hdf5/cycle.h5")))).toMatchObject({ code: "invalid-file" });
  });

  test("every truncation", async () => {
    for (let length = 8; length < good.length; length += 97) {
      const error = await refusalOf(() => readHdf5(good.subarray(0, length)));
      expect(error, `${length} bytes`).toMatchObject({ code: "invalid-file" });
      if (length >= 96) expect(error.message).toContain("truncated");
    }
  });

  test("a B-tree whose node is its own child, at any level", async () => {
    for (const level of [0, 1, 255]) {
      // A long file has a limit that allows for more recursion than the stack does.
      const bytes = new Uint8Array(2 ** 23);
      bytes.set(good);
      const tree = find(bytes, "TREE");
      bytes[tree + 5] = level;
      new DataView(bytes.buffer).setUint16(tree + 6, 2, true);
      new DataView(bytes.buffer).setBigUint64(tree + 32, BigInt(tree), true);
      new DataView(bytes.buffer).setBigUint64(tree + 48, BigInt(tree), true);
      expect(await refusalOf(() => readHdf5(bytes)), `level ${level}`).toMatchObject({ code: "invalid-file" });
    }
  });

  test("B-trees of 200 levels that branch into the same nodes: 2 ** 200 leaves", async () => {
    const levels = 200;
    const nodeSize = 24 + 2 * 16 + 8;
    const bytes = new Uint8Array(good.length + levels * nodeSize);
    bytes.set(good);
    const view = new DataView(bytes.buffer);
    const root = find(bytes, "TREE");
    for (let level = 0; level < levels; level++) {
      const at = level === levels - 1 ? root : good.length + level * nodeSize;
      bytes.set(new TextEncoder().encode("TREE"), at);
      bytes[at + 4] = 0;
      bytes[at + 5] = level;
      view.setUint16(at + 6, 2, true);
      const child = level === 0 ? find(bytes, "SNOD") : good.length + (level - 1) * nodeSize;
      view.setBigUint64(at + 32, BigInt(child), true);
      view.setBigUint64(at + 48, BigInt(child), true);
    }
    expect(await refusalOf(() => readHdf5(bytes))).toMatchObject({ code: "invalid-file" });
  });

  test("a header with fewer messages than it declares", async () => {
    const bytes = Uint8Array.from(good);
    // The root's header is at 96, its number of messages two bytes later.
    bytes[98] = 200;
    const error = await refusalOf(() => readHdf5(bytes));
    expect(error).toMatchObject({ code: "invalid-file" });
    expect(error.message).toContain("lacks messages");
  });

  test("a text that is longer than its place in the global heap", async () => {
    const bytes = Uint8Array.from(bytesOf("hdf5/features.h5"));
    // After the name, padded to 8: the datatype of 24 bytes and the dataspace of 8; then the length of the text.
    const length = find(bytes, "one\0") + 8 + 24 + 8;
    expect(bytes[length]).toBe("ein Wort".length);
    bytes[length] = 200;
    expect(await refusalOf(() => readHdf5(bytes).groups.get("texts")!.texts("one"))).toMatchObject({ code: "invalid-file" });
  });

  test("a continuation of a header that leads back to it", async () => {
    const bytes = Uint8Array.from(bytesOf("keras/functional.h5"));
    const view = new DataView(bytes.buffer);
    // The root's header is at 96; its first message becomes a continuation to itself, and many messages are declared.
    view.setUint16(96 + 2, 0xffff, true);
    view.setUint16(112, 0x10, true);
    view.setUint16(114, 16, true);
    view.setBigUint64(120, 112n, true);
    view.setBigUint64(128, 24n, true);
    expect(await refusalOf(() => readHdf5(bytes))).toMatchObject({ code: "invalid-file" });
  });

  test("data of another length than the shape's", async () => {
    const bytes = Uint8Array.from(good);
    const view = new DataView(bytes.buffer);
    // Contiguous layouts: version 3, class 1, an address in the file, and a length of 12, three float32. There are two, gamma and beta.
    for (let at = 0; at < bytes.length - 18; at++) {
      const isLayout =
        bytes[at] === 3 &&
        bytes[at + 1] === 1 &&
        view.getBigUint64(at + 2, true) < bytes.length &&
        view.getBigUint64(at + 10, true) === 12n;
      if (isLayout) bytes[at + 10] = 8;
    }
    const { datasets } = readHdf5(bytes).groups.get("layers")!.groups.get("batch_normalization")!.groups.get("vars")!;
    for (const dataset of datasets.values())
      expect(await refusalOf(() => readVector(dataset))).toMatchObject({ code: "invalid-file", received: 8 });
    expect(datasets.size).toBe(2);
  });

  test("an attribute with 2 ** 40 texts, or with texts of no length", async () => {
    for (const [count, size] of [
      [2n ** 40n, 2],
      [2n ** 31n, 0],
    ] as const) {
      const bytes = Uint8Array.from(bytesOf("hdf5/features.h5"));
      const view = new DataView(bytes.buffer);
      const name = find(bytes, "fixed\0");
      // After the name, padded to 8, the datatype of 8 bytes and the dataspace: 8 bytes, then the dimension.
      view.setUint32(name + 8 + 4, size, true);
      view.setBigUint64(name + 16 + 8, count, true);
      expect(await refusalOf(() => readHdf5(bytes).groups.get("texts")!.texts("fixed"))).toMatchObject({ code: "invalid-file" });
    }
  });

  test("a chunk that unpacks to more than it should", async () => {
    const bytes = Uint8Array.from(bytesOf("hdf5/features.h5"));
    const view = new DataView(bytes.buffer);
    // The layout of the dataset: version 3, class 2, rank 1 + 1, the address of a B-tree, then the chunk's length 32 and 4.
    for (let at = 0; at < bytes.length - 20; at++) {
      if (bytes[at] === 3 && bytes[at + 1] === 2 && bytes[at + 2] === 2 && view.getUint32(at + 11, true) === 32)
        view.setUint32(at + 11, 0x3fffffff, true);
    }
    const error = await refusalOf(() => vector(readHdf5(bytes), "compressed"));
    expect(error).toMatchObject({ code: "invalid-file" });
    expect(error.message).toContain("unpacks to too much");
  });
});

function find(bytes: Uint8Array, text: string): number {
  const index = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(text);
  expect(index).toBeGreaterThan(0);
  return index;
}
