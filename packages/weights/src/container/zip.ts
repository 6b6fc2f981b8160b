import { invalidFile, unsupportedFormat } from "../errors.ts";
import { Inflater } from "../inflate.ts";
import { checkRelativePath } from "./companion.ts";
import { crc32 } from "./crc32.ts";

/** A file in an archive; its bytes are unpacked and checked when they are asked for. */
export interface ZipMember {
  readonly name: string;
  readonly size: number;
  /** @throws BatchNormError `invalid-file`, `unsupported-format`. */
  read(): Uint8Array;
}

const DIRECTORY_END = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;
/** Stands for a number that a zip64 record holds. */
const IN_ZIP64 = 0xffffffff;

/**
 * The files of a zip archive, by name.
 *
 * fflate's own unzip checks no checksum and believes every size, so the directory is read here, and fflate unpacks.
 * Source: APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.
 *
 * @throws BatchNormError `invalid-file` for a damaged archive, a name that occurs twice or leaves the folder; `unsupported-format` for
 * zip64, encryption and other compressions.
 */
export function readZip(bytes: Uint8Array): Map<string, ZipMember> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const inflater = new Inflater(bytes.byteLength);
  const { count, start, end } = findDirectory(view);
  const members = new Map<string, ZipMember>();
  let offset = start;
  for (let index = 0; index < count; index++) {
    if (offset + 46 > end || view.getUint32(offset, true) !== DIRECTORY_ENTRY) {
      throw invalidFile("The directory of the zip archive is damaged", index, `an entry for each of the ${count} files`);
    }
    const nameLength = view.getUint16(offset + 28, true);
    const next = offset + 46 + nameLength + view.getUint16(offset + 30, true) + view.getUint16(offset + 32, true);
    if (next > end) throw invalidFile("The directory of the zip archive is damaged", index, "entries that end inside it");
    const name = new TextDecoder().decode(bytes.subarray(offset + 46, offset + 46 + nameLength));
    checkRelativePath("The zip archive has a file", name);
    if (members.has(name)) throw invalidFile("The zip archive has a file twice", name, "names that differ");
    const entry = readEntry(view, offset);
    members.set(name, { name, size: entry.size, read: () => readMember(bytes, view, inflater, name, entry) });
    offset = next;
  }
  return members;
}

interface Directory {
  readonly count: number;
  readonly start: number;
  readonly end: number;
}

/** The directory is found from the end: 22 bytes, and a comment of at most 65535. */
function findDirectory(view: DataView): Directory {
  const last = view.byteLength - 22;
  for (let end = last; end >= 0 && end >= last - 0xffff; end--) {
    if (view.getUint32(end, true) !== DIRECTORY_END || end + 22 + view.getUint16(end + 20, true) !== view.byteLength) continue;
    const count = view.getUint16(end + 10, true);
    const start = view.getUint32(end + 16, true);
    if (start === IN_ZIP64 || count === 0xffff)
      throw unsupportedFormat("The zip archive is a zip64 archive", "zip64", "an archive below 4 GB");
    if (start > end) throw invalidFile("The directory of the zip archive lies outside it", start, `${end} at most`);
    return { count, start, end };
  }
  throw invalidFile("The zip archive has no directory", view.byteLength, "a whole archive; this one may be truncated");
}

interface Entry {
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
  readonly header: number;
}

function readEntry(view: DataView, offset: number): Entry {
  return {
    flags: view.getUint16(offset + 8, true),
    method: view.getUint16(offset + 10, true),
    crc: view.getUint32(offset + 16, true),
    packedSize: view.getUint32(offset + 20, true),
    size: view.getUint32(offset + 24, true),
    header: view.getUint32(offset + 42, true),
  };
}

function readMember(bytes: Uint8Array, view: DataView, inflater: Inflater, name: string, entry: Entry): Uint8Array {
  const { flags, method, crc, packedSize, size, header } = entry;
  const what = `${name} in the zip archive`;
  if ((flags & ENCRYPTED) !== 0) throw unsupportedFormat(`${what} is encrypted`, name, "a file without a password");
  if (header === IN_ZIP64 || size === IN_ZIP64) throw unsupportedFormat(`${what} needs zip64`, "zip64", "an archive below 4 GB");
  if (header + 30 > bytes.byteLength || view.getUint32(header, true) !== LOCAL_HEADER) {
    throw invalidFile(`${what} is not where the directory says`, header, "a local file header");
  }
  const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
  if (start + packedSize > bytes.byteLength) {
    throw invalidFile(`${what} reaches beyond the archive`, start + packedSize, `an end at ${bytes.byteLength} at most`);
  }
  const packed = bytes.subarray(start, start + packedSize);
  const unpacked = unpack(inflater, what, method, packed, size);
  const found = crc32(unpacked);
  if (found !== crc) throw invalidFile(`${what} is damaged`, `checksum ${found.toString(16)}`, crc.toString(16));
  return unpacked;
}

function unpack(inflater: Inflater, what: string, method: number, packed: Uint8Array, size: number): Uint8Array {
  if (method === DEFLATED) return inflater.inflate(what, packed, size, "deflate");
  if (method !== STORED) throw unsupportedFormat(`${what} has another compression`, method, "stored or deflated");
  if (packed.length !== size) throw invalidFile(`${what} has two lengths`, packed.length, `${size} bytes`);
  return packed;
}
