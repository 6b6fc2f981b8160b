import { sizeOf } from "../tensor/tensor-check.ts";

/** The shape of an elementwise result, as NumPy and ONNX broadcast, or null for shapes that do not fit. */
export function broadcastDims(a: readonly number[], b: readonly number[]): number[] | null {
  const rank = Math.max(a.length, b.length);
  const dims: number[] = [];
  for (let k = 0; k < rank; k++) {
    const [left, right] = [a[a.length - rank + k] ?? 1, b[b.length - rank + k] ?? 1];
    if (left !== right && left !== 1 && right !== 1) return null;
    dims.push(left === 1 ? right : left);
  }
  return dims;
}

/** For every element of `dims`, in order, the offset of the element of `from` that broadcasts to it. */
export function broadcastOffsets(from: readonly number[], dims: readonly number[]): Int32Array {
  const strides = stridesOf(from).map((stride, k) => (from[k] === 1 ? 0 : stride));
  const missing = dims.length - from.length;
  return offsets(
    dims,
    dims.map((_, k) => (k < missing ? 0 : strides[k - missing])),
  );
}

/** For every element of a transposed tensor, in order, the offset of the element that it was. */
export function transposedOffsets(from: readonly number[], perm: readonly number[]): Int32Array {
  const strides = stridesOf(from);
  return offsets(
    perm.map((axis) => from[axis]),
    perm.map((axis) => strides[axis]),
  );
}

/** The distance between neighbours along each axis of a dense tensor. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (let k = dims.length - 1; k >= 0; k--) {
    strides.unshift(stride);
    stride *= dims[k];
  }
  return strides;
}

function offsets(dims: readonly number[], strides: readonly number[]): Int32Array {
  const result = new Int32Array(sizeOf(dims));
  const index = dims.map(() => 0);
  let offset = 0;
  for (let at = 0; at < result.length; at++) {
    result[at] = offset;
    for (let k = dims.length - 1; k >= 0; k--) {
      index[k] += 1;
      offset += strides[k];
      if (index[k] < dims[k]) break;
      offset -= strides[k] * dims[k];
      index[k] = 0;
    }
  }
  return result;
}
