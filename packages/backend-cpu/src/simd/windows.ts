type Array = Float32Array | Uint8Array;

const windows = new WeakMap<Array, Map<number, Array>>();

/** More windows than this on one array are made anew each time: they would be memory of their own. */
const KEPT = 4096;

/**
 * `data.subarray(start, start + length)`, the same object for the same question, so that a loop over tiles allocates only
 * when it first meets an array. The windows go when the array goes.
 */
export function windowOf<T extends Array>(data: T, start: number, length: number): T {
  if (length === data.length) return data;
  let known = windows.get(data);
  if (known === undefined) {
    known = new Map();
    windows.set(data, known);
  }
  let window = known.get(start);
  // A tile at the end may be shorter than the one that began there for another shape.
  if (window === undefined || window.length !== length) {
    window = data.subarray(start, start + length);
    if (known.size < KEPT) known.set(start, window);
  }
  return window as T;
}
