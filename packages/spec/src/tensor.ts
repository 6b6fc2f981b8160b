import { BatchNormError } from "./errors.ts";
import { sizeOf } from "./view.ts";

/** The element types that the contract names. float32 is required of every backend; a mask is bool. */
export type DType = "float32" | "float64" | "float16" | "bfloat16" | "bool";

/** A tensor in the host's memory: what a backend takes in and gives out at its border. bool is one byte an element, 0 or 1. */
export interface HostTensor {
  readonly data: Float32Array | Float64Array | Uint8Array;
  /** Row major: the last axis is contiguous. */
  readonly shape: readonly number[];
}

/** What the contract needs to know of a runtime's tensor to decide whether a call is allowed; no data is read. */
export interface TensorInfo {
  readonly shape: readonly number[];
  readonly dtype: string;
  /** The number of elements behind the tensor, where the runtime does not already tie it to the shape. */
  readonly length?: number;
}

/** The two questions that validation asks about a runtime's tensors; neither reads data. */
export interface TensorAccess<Tensor> {
  /** Throws `invalid-argument` for anything that is not a tensor of this runtime, which only the backend can tell. */
  describe(tensor: Tensor): TensorInfo;
  /** Whether two tensors share memory. Asked only where `supports.out`. */
  overlaps(a: Tensor, b: Tensor): boolean;
}

/**
 * @throws BatchNormError `data-length` when the data does not fill the shape.
 */
export function checkDataLength(what: string, info: TensorInfo): void {
  if (info.length !== undefined && info.length !== sizeOf(info.shape)) {
    throw new BatchNormError(
      "data-length",
      `The data of ${what} does not fill its shape [${info.shape.join(", ")}]`,
      info.length,
      `${sizeOf(info.shape)} elements`,
    );
  }
}
