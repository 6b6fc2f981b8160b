import { invalidFile } from "../errors.ts";
import { Cursor, type FileBytes } from "./cursor.ts";
import type { Message } from "./object-header.ts";

/** A symbol table entry of this kind is a symbolic link. */
const SOFT_LINK = 2;

/**
 * The names in a group and the addresses of their object headers. Symbolic links are left out: Keras writes none, and refuses to follow
 * one. (External links exist in headers of version 2 only.)
 *
 * Source: HDF5 File Format Specification 3.0, III.A.1, III.B and III.D.
 *
 * @throws BatchNormError `invalid-file`.
 */
export function readLinks(file: FileBytes, symbolTable: Message): Map<string, number> {
  const message = new Cursor(file, "A symbol table", symbolTable.start, symbolTable.length);
  const tree = message.uint64();
  const heap = readHeap(file, message.uint64());
  const links = new Map<string, number>();
  for (const node of readLeaves(file, tree, null)) {
    for (const { nameOffset, address } of readNode(file, node)) {
      const name = readName(file, heap, nameOffset);
      if (links.has(name)) throw invalidFile("A group of the HDF5 file has a name twice", name, "names that differ");
      links.set(name, address);
    }
  }
  return links;
}

interface Heap {
  readonly start: number;
  readonly end: number;
}

/** The part of the file that holds the names of one group. */
function readHeap(file: FileBytes, address: number): Heap {
  const cursor = new Cursor(file, "A local heap", address, 32);
  cursor.signature("HEAP");
  cursor.version(0);
  cursor.take(3);
  const length = cursor.uint64();
  cursor.take(8);
  const start = cursor.uint64();
  file.spend("A local heap", start, length);
  return { start, end: start + length };
}

function readName(file: FileBytes, heap: Heap, offset: number): string {
  const start = heap.start + offset;
  const end = start < heap.end ? file.bytes.subarray(start, heap.end).indexOf(0) + start : -1;
  if (end < start) throw invalidFile("A name in the HDF5 file does not end in its heap", offset, "an offset into the local heap");
  file.spend("A name", start, end - start);
  return new TextDecoder().decode(file.bytes.subarray(start, end));
}

/** The addresses of the symbol table nodes below a node of the B-tree, in order. `level` is null for the root. */
function* readLeaves(file: FileBytes, address: number, level: number | null): Generator<number> {
  const header = new Cursor(file, "A B-tree", address, 24);
  header.signature("TREE");
  const type = header.uint8();
  const found = header.uint8();
  const count = header.uint16();
  if (type !== 0) throw invalidFile("A B-tree of the HDF5 file is not of a group", type, "node type 0");
  // Levels that go down by one each bound the depth of the recursion.
  if (level !== null && found !== level) throw invalidFile("A B-tree of the HDF5 file has a node of the wrong level", found, String(level));
  const entries = new Cursor(file, "A B-tree", address + 24, count * 16);
  for (let index = 0; index < count; index++) {
    entries.take(8);
    const child = entries.uint64();
    if (found === 0) yield child;
    else yield* readLeaves(file, child, found - 1);
  }
}

function* readNode(file: FileBytes, address: number): Generator<{ nameOffset: number; address: number }> {
  const header = new Cursor(file, "A symbol table node", address, 8);
  header.signature("SNOD");
  header.version(1);
  header.take(1);
  const count = header.uint16();
  const entries = new Cursor(file, "A symbol table node", address + 8, count * 40);
  for (let index = 0; index < count; index++) {
    const nameOffset = entries.uint64();
    const target = entries.uint64();
    const kind = entries.uint32();
    entries.take(20);
    if (kind !== SOFT_LINK) yield { nameOffset, address: target };
  }
}
