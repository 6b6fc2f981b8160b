import { BatchNormError } from "@batchnorm/spec";
import { invalidFile, unsupportedFormat } from "../errors.ts";
import type { NumberType, StoredTensor } from "../tensor.ts";
import { readChunks } from "./chunks.ts";
import { Cursor, type FileBytes } from "./cursor.ts";
import { elementCount, readShape } from "./dataspace.ts";
import { type Datatype, readDatatype } from "./datatype.ts";
import { MESSAGE, type Message } from "./object-header.ts";

export type Hdf5Dataset = StoredTensor;

/**
 * A dataset as a tensor. What is wrong with its header is an error now, what is wrong with its data is one when it is read.
 *
 * @throws BatchNormError `invalid-file`.
 */
export function readDataset(
  file: FileBytes,
  path: string,
  messages: readonly Message[],
  texts: (attribute: string) => string[] | null,
): Hdf5Dataset {
  const open = (type: number, what: string): Cursor => {
    const message = messages.find((each) => each.type === type);
    if (message === undefined) throw invalidFile(`The dataset ${path} has no ${what}`, null, `a ${what}`);
    return new Cursor(file, `The ${what} of a dataset`, message.start, message.length);
  };
  const shape = readShape(open(MESSAGE.dataspace, "dataspace"));
  const shared = messages.some(({ type, shared }) => type === MESSAGE.datatype && shared);
  const datatype: Datatype = shared
    ? { kind: "other", size: 1, name: "a type that datasets share" }
    : readDatatype(open(MESSAGE.datatype, "datatype"));
  const type = numberType(datatype, texts);
  return {
    path,
    shape,
    type,
    typeName: type ?? (datatype.kind === "other" ? datatype.name : `${datatype.kind} of ${datatype.size} bytes`),
    bytes: () => {
      if (messages.some(({ type }) => type === MESSAGE.externalFiles)) {
        throw new BatchNormError("invalid-file", `The data of ${path} lies in another file`, path, "a dataset that lies in its own file");
      }
      const filters = messages.find(({ type }) => type === MESSAGE.filters);
      return readData(file, path, open(MESSAGE.layout, "layout"), elementCount(shape) * datatype.size, datatype.size, filters);
    },
  };
}

/** Keras marks bfloat16, which HDF5 has no name for, with an attribute. */
function numberType(datatype: Datatype, texts: (attribute: string) => string[] | null): NumberType | null {
  if (datatype.kind === "number") return datatype.type;
  return datatype.kind === "opaque" && datatype.size === 2 && texts("dtype")?.[0] === "bfloat16" ? "bfloat16" : null;
}

/** Source: HDF5 File Format Specification 3.0, IV.A.2.i, version 3. */
function readData(
  file: FileBytes,
  path: string,
  layout: Cursor,
  length: number,
  elementSize: number,
  filters: Message | undefined,
): Uint8Array {
  const version = layout.uint8();
  if (version !== 3) {
    throw unsupportedFormat(
      `The dataset ${path} has another data layout`,
      `version ${version}`,
      "version 3, which h5py writes without libver",
    );
  }
  const kind = layout.uint8();
  if (kind === 0) {
    const size = layout.uint16();
    checkLength(path, size, length);
    return layout.bytes(size);
  }
  if (kind === 1) {
    const address = layout.address();
    if (address === null) throw invalidFile(`The dataset ${path} was never written`, null, `${length} bytes`);
    checkLength(path, layout.uint64(), length);
    file.spend("A dataset", address, length);
    return file.bytes.subarray(address, address + length);
  }
  if (kind === 2) return readChunks(file, path, layout, length, elementSize, filters);
  throw invalidFile(`The dataset ${path} has an unknown layout`, kind, "0, 1 or 2");
}

function checkLength(path: string, size: number, length: number): void {
  if (size !== length) throw invalidFile(`The data of ${path} does not fill its shape`, size, `${length} bytes`);
}
