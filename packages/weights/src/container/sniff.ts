import { HDF5_SIGNATURE } from "../hdf5/file.ts";
import { headerLength } from "../pytorch/safetensors.ts";

/** What the first bytes of a file say that it is. */
export type Container = "hdf5" | "zip" | "json" | "safetensors" | "pickle" | "unknown";

/** Recognizes a file by its content, whatever it is called. */
export function sniff(bytes: Uint8Array): Container {
  const begins = (...signature: readonly number[]): boolean => signature.every((byte, index) => bytes[index] === byte);
  if (begins(...HDF5_SIGNATURE)) return "hdf5";
  if (begins(0x50, 0x4b, 3, 4) || begins(0x50, 0x4b, 5, 6)) return "zip";
  if (headerLength(bytes) !== null) return "safetensors";
  // The opcode PROTO and a protocol from 2 to 5.
  if (bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5) return "pickle";
  return isJson(bytes) ? "json" : "unknown";
}

/** An object, perhaps after spaces and a byte order mark. */
function isJson(bytes: Uint8Array): boolean {
  let index = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (index < 64 && [0x20, 0x09, 0x0a, 0x0d].includes(bytes[index])) index++;
  return bytes[index] === 0x7b;
}
