import { invalidFile, unsupportedFormat } from "../errors.ts";
import { readTextAttribute } from "./attribute.ts";
import { Cursor, FileBytes } from "./cursor.ts";
import { type Hdf5Dataset, readDataset } from "./dataset.ts";
import { GlobalHeap } from "./global-heap.ts";
import { readLinks } from "./group.ts";
import { MESSAGE, type Message, readMessages } from "./object-header.ts";

export const HDF5_SIGNATURE: readonly number[] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** Groups within groups; a Keras model has two levels for each model that is nested in it. */
const MAX_DEPTH = 200;

/** A group and what lies directly in it. */
export interface Hdf5Group {
  /** The names of the groups from the root, joined by slashes; empty for the root. */
  readonly path: string;
  readonly groups: ReadonlyMap<string, Hdf5Group>;
  readonly datasets: ReadonlyMap<string, Hdf5Dataset>;
  /** The texts of an attribute, a scalar's as a list of one; null where there is none, or it is not text. */
  texts(attribute: string): string[] | null;
}

/**
 * Reads the groups of an HDF5 file, all at once; the data stays where it is until a dataset is read.
 *
 * This is the part of HDF5 that h5py writes by default and so Keras: superblock 0 or 1, object headers of version 1. Why not a
 * library: docs/decisions/2026-11-26-hdf5-reader.md.
 *
 * @throws BatchNormError `invalid-file`, `unsupported-format`.
 */
export function readHdf5(bytes: Uint8Array): Hdf5Group {
  const file = new FileBytes(bytes);
  return readGroup(file, new GlobalHeap(file), "", readMessages(file, readSuperblock(file)), 0);
}

/** The address of the root group's header. Source: HDF5 File Format Specification 3.0, II.A. */
function readSuperblock(file: FileBytes): number {
  const cursor = new Cursor(file, "The superblock", 0, Math.min(96, file.bytes.byteLength));
  if (HDF5_SIGNATURE.some((byte) => cursor.uint8() !== byte)) {
    throw invalidFile("The file is not HDF5", file.bytes.subarray(0, 8), "the signature of HDF5");
  }
  const version = cursor.uint8();
  if (version > 1) {
    throw unsupportedFormat(
      "The HDF5 file has a superblock of a later version",
      version,
      "version 0, which Keras writes, and h5py without libver",
    );
  }
  cursor.take(4);
  const sizes = [cursor.uint8(), cursor.uint8()];
  if (sizes.some((size) => size !== 8)) throw unsupportedFormat("The HDF5 file has short addresses", sizes, "addresses of 8 bytes");
  cursor.take(version === 0 ? 9 : 13);
  const base = cursor.uint64();
  if (base !== 0) throw unsupportedFormat("The HDF5 file does not begin at its first byte", base, "a base address of 0");
  cursor.take(8);
  const end = cursor.uint64();
  if (end > file.bytes.byteLength) throw invalidFile("The HDF5 file is truncated", file.bytes.byteLength, `${end} bytes`);
  cursor.take(16);
  return cursor.uint64();
}

function readGroup(file: FileBytes, heap: GlobalHeap, path: string, messages: readonly Message[], depth: number): Hdf5Group {
  if (depth > MAX_DEPTH) throw invalidFile("The groups of the HDF5 file are nested too deeply", depth, `${MAX_DEPTH} levels at most`);
  const groups = new Map<string, Hdf5Group>();
  const datasets = new Map<string, Hdf5Dataset>();
  const table = messages.find(({ type }) => type === MESSAGE.symbolTable);
  for (const [name, address] of table === undefined ? [] : readLinks(file, table)) {
    const below = path === "" ? name : `${path}/${name}`;
    const child = readMessages(file, address);
    const texts = (attribute: string): string[] | null => readTextAttribute(file, heap, child, attribute);
    // An object without a dataspace and without links is a committed type; it makes an empty group here, which is harmless.
    if (child.some(({ type }) => type === MESSAGE.dataspace)) datasets.set(name, readDataset(file, below, child, texts));
    else groups.set(name, readGroup(file, heap, below, child, depth + 1));
  }
  return { path, groups, datasets, texts: (attribute) => readTextAttribute(file, heap, messages, attribute) };
}
