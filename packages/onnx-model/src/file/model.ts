import { BatchNormError, describeValue } from "@batchnorm/spec";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { invalidFile } from "../errors.ts";
import { checkAttributes } from "../graph/attribute.ts";
import { buildScopes } from "../graph/build-scopes.ts";
import { EXTERNAL, type ModelProto, ModelProtoSchema, nodesOf, type TensorProto, tensorsOf } from "../proto/index.ts";
import { checkTensor } from "../tensor/tensor-check.ts";
import { ExternalData, type ExternalFiles, type ExternalReader, externalPlace, isUint8Array, readerOf } from "./external.ts";
import { checkWire } from "./wire-check.ts";

/** A file cannot be larger: protobuf's lengths, and what runtimes take, end here. */
const LARGEST_FILE = 2 ** 31 - 1;

/** A model in memory. What this package makes of one is a new one: a model is never changed. */
export interface OnnxModel {
  /** The file as it is: messages and fields by ONNX's names, unknown fields included. */
  readonly proto: ModelProto;
  /** The data in files beside it. */
  readonly external: ExternalData;
}

/** The bytes of a model, and a way to the files beside it. */
export interface ModelFiles {
  readonly bytes: Uint8Array | ArrayBuffer;
  readonly external?: ExternalReader | ExternalFiles;
}

/**
 * Reads an ONNX model. Everything in the file is checked: that its parts have the lengths they say, that every tensor
 * fills its dimensions, that every value is defined once, that nodes do not wait for each other. Data in files beside
 * the model is read later, and only what is asked for.
 *
 * The bytes are not copied: do not write to them as long as the model is in use. A Buffer is fine.
 *
 * @throws BatchNormError `invalid-argument` for anything but bytes; `invalid-file` for bytes that are no model or
 * contradict themselves, and for data whose path leaves the model's folder.
 */
export function readModel(source: Uint8Array | ArrayBuffer | ModelFiles): OnnxModel {
  const isBytes = isUint8Array(source) || isArrayBuffer(source);
  const bytes = plainBytes(isBytes ? source : source?.bytes);
  const reader = isBytes ? undefined : source.external;
  if (reader !== undefined && (typeof reader !== "object" || reader === null) && typeof reader !== "function") {
    throw new BatchNormError("invalid-argument", "external is wrong", reader, "a function, or files by their paths");
  }
  checkWire(ModelProtoSchema, bytes);
  const proto = decode(bytes);
  if (proto.irVersion < 1n)
    throw invalidFile("The model does not say its IR version", Number(proto.irVersion), "the bytes of an ONNX model");
  checkContents(proto);
  buildScopes(proto);
  return { proto, external: new ExternalData(typeof reader === "object" ? readerOf(reader) : (reader ?? null)) };
}

/**
 * The bytes of a model. Data that was in files beside it and was not changed is still there; what was changed is in the
 * bytes.
 *
 * @throws BatchNormError `invalid-file` for a model of more than 2 GB.
 */
export function writeModel(model: OnnxModel): Uint8Array {
  const bytes = toBinary(ModelProtoSchema, model.proto);
  if (bytes.length > LARGEST_FILE) throw invalidFile("The model is too large for one file", bytes.length, `at most ${LARGEST_FILE} bytes`);
  return bytes;
}

function isArrayBuffer(value: unknown): value is ArrayBuffer {
  // By its name: those of another realm are no instances of this one's.
  return Object.prototype.toString.call(value) === "[object ArrayBuffer]";
}

/**
 * A plain view: a Buffer's own methods do other things than those of a Uint8Array, and text in shared memory cannot be
 * decoded.
 */
function plainBytes(bytes: unknown): Uint8Array {
  if (isArrayBuffer(bytes)) return new Uint8Array(bytes);
  if (isUint8Array(bytes)) {
    const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return isArrayBuffer(bytes.buffer) ? view : view.slice();
  }
  throw new BatchNormError("invalid-argument", "The model is not bytes", describeValue(bytes), "a Uint8Array or an ArrayBuffer");
}

function decode(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw invalidFile("The model could not be read", bytes, "the bytes of an ONNX model", cause);
  }
}

/** Attributes and tensors, wherever they are. */
function checkContents(proto: ModelProto): void {
  for (const node of nodesOf(proto)) checkAttributes(node);
  for (const tensor of tensorsOf(proto)) checkData(tensor);
}

function checkData(tensor: TensorProto): void {
  checkTensor(tensor);
  if (tensor.dataLocation === EXTERNAL) externalPlace(tensor);
}
