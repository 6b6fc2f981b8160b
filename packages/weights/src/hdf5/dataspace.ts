import { invalidFile } from "../errors.ts";
import type { Cursor } from "./cursor.ts";

/** HDF5's own limit. */
const MAX_RANK = 32;

/** The shape of a dataset or an attribute; a scalar's is empty. Source: HDF5 File Format Specification 3.0, IV.A.2.b. */
export function readShape(cursor: Cursor): number[] {
  const version = cursor.version(1, 2);
  const rank = cursor.uint8();
  if (rank > MAX_RANK) throw invalidFile("A dataspace of the HDF5 file has too many dimensions", rank, `${MAX_RANK} at most`);
  cursor.take(version === 1 ? 6 : 2);
  return Array.from({ length: rank }, () => cursor.uint64());
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}
