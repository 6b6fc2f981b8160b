import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import { unzipSync } from "fflate";
import { messageOf } from "../files.ts";
import { invalidFile } from "../status.ts";
import type { ReadBytes, StoredArray } from "./array.ts";
import { NPY_MAGIC, readNpy } from "./npy.ts";
import { readSafetensors } from "./safetensors.ts";

/** A file with data: arrays by their names; the only one of a .npy file has none. */
export interface DataFile {
  readonly name: string;
  readonly arrays: ReadonlyMap<string, StoredArray>;
  close(): Promise<void>;
}

/** Above this an archive, which is unpacked in memory, is refused. */
const LARGEST_ARCHIVE = 2 ** 31;

/** Opens a .npy, .npz or .safetensors file; its content tells which it is. */
export async function openDataFile(path: string): Promise<DataFile> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (cause) {
    throw invalidFile("The data could not be read", messageOf(cause), "the path of a .npy, .npz or .safetensors file", cause);
  }
  try {
    const arrays = await readArrays(handle, basename(path));
    return { name: basename(path), arrays, close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readArrays(handle: FileHandle, name: string): Promise<ReadonlyMap<string, StoredArray>> {
  const stat = await handle.stat();
  if (!stat.isFile()) throw invalidFile("The data is not a file", name, "a .npy, .npz or .safetensors file");
  const { size } = stat;
  const read: ReadBytes = async (offset, length) => {
    const bytes = new Uint8Array(length);
    const { bytesRead } = await handle.read(bytes, 0, length, offset);
    if (bytesRead < length) throw invalidFile(`${name} is truncated`, `${bytesRead} bytes at ${offset}`, `${length}`);
    return bytes;
  };
  if (size < 8) throw invalidFile(`${name} is too short`, `${size} bytes`, "a .npy, .npz or .safetensors file");
  const start = String.fromCharCode(...(await read(0, 8)));
  if (start.startsWith(NPY_MAGIC)) return new Map([["", await readNpy(name, size, read)]]);
  if (start.startsWith("PK")) return unpack(name, size, read);
  if (name.endsWith(".safetensors")) return readSafetensors(name, size, read);
  throw invalidFile(`${name} is of no format that is read`, start.slice(0, 4), "a .npy, .npz or .safetensors file");
}

async function unpack(name: string, size: number, read: ReadBytes): Promise<ReadonlyMap<string, StoredArray>> {
  if (size > LARGEST_ARCHIVE) throw invalidFile(`${name} is too large for an archive`, size, "several files, or .npy");
  let members: Record<string, Uint8Array>;
  const packed = await read(0, size);
  try {
    let total = 0;
    members = unzipSync(packed, {
      filter: ({ originalSize }) => {
        total += originalSize;
        if (total > LARGEST_ARCHIVE) throw new Error("unpacks to more than 2 GB");
        return true;
      },
    });
  } catch (cause) {
    throw invalidFile(`The archive ${name} could not be unpacked`, messageOf(cause), "a .npz file", cause);
  }
  const arrays = new Map<string, StoredArray>();
  for (const [member, bytes] of Object.entries(members)) {
    const key = member.replace(/\.npy$/, "");
    const part: ReadBytes = async (offset, length) => bytes.subarray(offset, offset + length);
    arrays.set(key, await readNpy(`${name}:${key}`, bytes.length, part));
  }
  return arrays;
}
