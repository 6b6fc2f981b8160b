import { invalidFile, unsupportedFormat } from "../errors.ts";
import { Cursor, type FileBytes } from "./cursor.ts";

/** One message of an object header: what a group or a dataset says about itself. */
export interface Message {
  readonly type: number;
  /** True where the message is only a pointer to one that several objects share. */
  readonly shared: boolean;
  readonly start: number;
  readonly length: number;
}

/** Types of messages, by the names of the format's specification. */
export const MESSAGE = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  link: 0x06,
  externalFiles: 0x07,
  layout: 0x08,
  filters: 0x0b,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

const LETTER_O = 0x4f;

/**
 * The messages of the object at an address.
 *
 * Source: HDF5 File Format Specification 3.0, IV.A.1.a, "Version 1 Data Object Header Prefix".
 *
 * @throws BatchNormError `invalid-file`; `unsupported-format` for the headers that only libver="latest" and track_order write.
 */
export function readMessages(file: FileBytes, address: number): Message[] {
  const prefix = new Cursor(file, "An object header", address, 16);
  if (file.view.getUint8(address) === LETTER_O) {
    throw unsupportedFormat(
      "The HDF5 file has object headers of version 2",
      "version 2",
      "version 1, which Keras writes, and h5py without libver and track_order",
    );
  }
  prefix.version(1);
  prefix.take(1);
  const count = prefix.uint16();
  prefix.take(4);
  const blocks = [{ start: address + 16, length: prefix.uint32() }];
  const messages: Message[] = [];
  for (let index = 0; index < blocks.length; index++) {
    const { start, length } = blocks[index];
    const cursor = new Cursor(file, "An object header", start, length);
    while (messages.length < count && cursor.end - cursor.offset >= 8) {
      const type = cursor.uint16();
      const size = cursor.uint16();
      const flags = cursor.uint8();
      cursor.take(3);
      const message = { type, shared: (flags & 2) !== 0, start: cursor.take(size), length: size };
      if (type === MESSAGE.continuation) {
        const target = new Cursor(file, "A continuation", message.start, size);
        blocks.push({ start: target.uint64(), length: target.uint64() });
      }
      messages.push(message);
    }
  }
  if (messages.length < count) {
    throw invalidFile("An object header of the HDF5 file lacks messages", messages.length, `${count}, the number that it declares`);
  }
  return messages;
}
