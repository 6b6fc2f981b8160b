import { invalidFile, unsupportedFormat } from "../errors.ts";
import { Cursor, type FileBytes } from "./cursor.ts";
import type { Message } from "./object-header.ts";

/** Filters by the numbers of HDF5. */
const DEFLATE = 1;
const SHUFFLE = 2;
const FLETCHER32 = 3;

/**
 * The data of a vector that is stored in chunks, as h5repack and users of h5py's `compression` do; Keras does not.
 *
 * Source: HDF5 File Format Specification 3.0, III.A.1 (node type 1), IV.A.2.i (layout class 2) and IV.A.2.l.
 *
 * @throws BatchNormError `invalid-file`; `unsupported-format` for filters other than gzip, shuffle and fletcher32.
 */
export function readChunks(
  file: FileBytes,
  path: string,
  layout: Cursor,
  length: number,
  elementSize: number,
  filterMessage: Message | undefined,
): Uint8Array {
  const dimensions = layout.uint8();
  const tree = layout.address();
  const chunkLength = layout.uint32() * elementSize;
  if (dimensions !== 2)
    throw invalidFile(`The chunks of ${path} are not those of a vector`, dimensions, "2 dimensions, the last an element's size");
  const filters = filterMessage === undefined ? [] : readFilters(file, filterMessage);
  if (tree === null) throw invalidFile(`The dataset ${path} was never written`, null, `${length} bytes`);
  const parts: Uint8Array[] = [];
  for (const { address, size, mask, element } of readLeaves(file, tree, null)) {
    if (element * elementSize !== parts.length * chunkLength)
      throw invalidFile(`The chunks of ${path} have gaps`, element, "one after the other");
    file.spend("A chunk", address, size);
    let bytes = file.bytes.subarray(address, address + size);
    // Filters were applied in their order; a set bit in the mask says that one was left out.
    for (let k = filters.length - 1; k >= 0; k--)
      if ((mask & (1 << k)) === 0) bytes = unfilter(file, path, filters[k], bytes, chunkLength, elementSize);
    if (bytes.length !== chunkLength) throw invalidFile(`A chunk of ${path} has the wrong length`, bytes.length, `${chunkLength} bytes`);
    parts.push(bytes);
  }
  if (parts.length * chunkLength < length) throw invalidFile(`Chunks of ${path} are missing`, parts.length, `data of ${length} bytes`);
  const joined = new Uint8Array(parts.length * chunkLength);
  for (const [index, part] of parts.entries()) joined.set(part, index * chunkLength);
  return joined.subarray(0, length);
}

interface Chunk {
  readonly address: number;
  readonly size: number;
  readonly mask: number;
  /** The index of its first element. */
  readonly element: number;
}

function* readLeaves(file: FileBytes, address: number, level: number | null): Generator<Chunk> {
  const header = new Cursor(file, "A B-tree", address, 24);
  header.signature("TREE");
  const type = header.uint8();
  const found = header.uint8();
  const count = header.uint16();
  if (type !== 1) throw invalidFile("A B-tree of the HDF5 file is not of chunks", type, "node type 1");
  if (level !== null && found !== level) throw invalidFile("A B-tree of the HDF5 file has a node of the wrong level", found, String(level));
  const entries = new Cursor(file, "A B-tree", address + 24, count * 32);
  for (let index = 0; index < count; index++) {
    const size = entries.uint32();
    const mask = entries.uint32();
    const element = entries.uint64();
    entries.take(8);
    const child = entries.uint64();
    if (found === 0) yield { address: child, size, mask, element };
    else yield* readLeaves(file, child, found - 1);
  }
}

function readFilters(file: FileBytes, message: Message): number[] {
  const cursor = new Cursor(file, "A filter pipeline", message.start, message.length);
  const version = cursor.version(1, 2);
  const count = cursor.uint8();
  if (version === 1) cursor.take(6);
  return Array.from({ length: count }, () => {
    const id = cursor.uint16();
    const nameLength = version === 1 || id >= 256 ? cursor.uint16() : 0;
    cursor.take(2);
    const values = cursor.uint16();
    cursor.take(version === 1 ? Math.ceil(nameLength / 8) * 8 : nameLength);
    cursor.take(4 * (version === 1 ? values + (values % 2) : values));
    return id;
  });
}

function unfilter(file: FileBytes, path: string, filter: number, bytes: Uint8Array, length: number, elementSize: number): Uint8Array {
  if (filter === DEFLATE) return file.inflater.inflate(`A chunk of ${path}`, bytes, length, "zlib");
  if (filter === SHUFFLE) return unshuffle(bytes, elementSize);
  // The checksum at the end is left to whoever wrote it.
  if (filter === FLETCHER32) return bytes.subarray(0, Math.max(0, bytes.length - 4));
  throw unsupportedFormat(`The dataset ${path} has a filter that is not read`, filter, "gzip, shuffle or fletcher32");
}

/** Shuffled data has the first bytes of all elements first. */
function unshuffle(bytes: Uint8Array, elementSize: number): Uint8Array {
  const count = Math.floor(bytes.length / elementSize);
  const result = bytes.slice();
  for (let k = 0; k < count * elementSize; k++) result[(k % count) * elementSize + Math.floor(k / count)] = bytes[k];
  return result;
}
