import { invalidFile, quoted } from "../errors.ts";
import { EXTERNAL, type TensorProto } from "../proto/index.ts";
import { type ElementTypeInfo, elementTypeInfo } from "./element-type.ts";

/** How many dimensions a tensor may have: numpy stops at 64, onnxruntime's kernels much earlier. */
const HIGHEST_RANK = 64;

const TYPED_FIELDS = ["floatData", "int32Data", "stringData", "int64Data", "doubleData", "uint64Data"] as const;

/** The dimensions of a tensor as plain numbers. */
export function dimsOf(tensor: TensorProto): number[] {
  return tensor.dims.map(Number);
}

/** The number of elements of a shape. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dimension) => product * dimension, 1);
}

/** How many bytes the raw data of so many elements takes; 4-bit types put two into a byte. */
export function rawLength(size: number, bits: number): number {
  return Math.ceil((size * bits) / 8);
}

/**
 * Checks that a tensor's data is there once and fills its dimensions. Data in another file is checked when it is read.
 *
 * @throws BatchNormError `invalid-file`.
 */
export function checkTensor(tensor: TensorProto): void {
  const what = `The tensor ${quoted(tensor.name)}`;
  if (tensor.dims.length > HIGHEST_RANK) {
    throw invalidFile(`${what} has too many dimensions`, tensor.dims.length, `at most ${HIGHEST_RANK}`);
  }
  const dims = dimsOf(tensor);
  const size = sizeOf(dims);
  if (dims.some((dimension) => dimension < 0) || !Number.isSafeInteger(size * 16)) {
    throw invalidFile(`${what} has impossible dimensions`, dims, "numbers of elements, 0 or more");
  }
  if (tensor.dataType <= 0) throw invalidFile(`${what} has no element type`, tensor.dataType, "a number of TensorProto.DataType");
  const filled = TYPED_FIELDS.filter((field) => tensor[field].length > 0);
  const hasRaw = tensor.rawData.length > 0;
  if (tensor.dataLocation === EXTERNAL) {
    if (hasRaw || filled.length > 0) throw invalidFile(`${what} has its data twice`, "external and internal data", "one of them");
    return;
  }
  if (tensor.dataLocation !== 0) throw invalidFile(`${what} is in an unknown place`, tensor.dataLocation, "data_location 0 or 1");
  if (filled.length + (hasRaw ? 1 : 0) > 1) throw invalidFile(`${what} has its data twice`, filled, "one field of data");
  const type = elementTypeInfo(tensor.dataType);
  // A type that is newer than this package: whoever wants its numbers will be refused, the model stays readable.
  if (type === null) return;
  if (hasRaw) checkRaw(what, tensor.rawData.length, size, dims, type);
  else checkTyped(what, tensor, filled[0], size, dims, type);
}

function checkRaw(what: string, length: number, size: number, dims: readonly number[], { name, bits }: ElementTypeInfo): void {
  if (bits === null) throw invalidFile(`${what} has text as raw data`, length, "string_data");
  const wanted = rawLength(size, bits);
  if (length !== wanted) {
    throw invalidFile(`${what} does not fill its dimensions`, `${length} bytes`, `${wanted} for ${name} [${dims.slice(0, 8).join(", ")}]`);
  }
}

function checkTyped(
  what: string,
  tensor: TensorProto,
  filled: (typeof TYPED_FIELDS)[number] | undefined,
  size: number,
  dims: readonly number[],
  { name, field, entries }: ElementTypeInfo,
): void {
  if (filled !== undefined && filled !== field) throw invalidFile(`${what} has numbers of another type`, filled, `${field} for ${name}`);
  const wanted = Math.ceil(size * entries);
  if (tensor[field].length !== wanted) {
    throw invalidFile(
      `${what} does not fill its dimensions`,
      `${tensor[field].length} numbers`,
      `${wanted} for ${name} [${dims.slice(0, 8).join(", ")}]`,
    );
  }
}
