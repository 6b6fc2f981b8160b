type Data = Float32Array | Uint8Array;

/** The windows on one array that are known, by where they begin. */
export type Windows = Map<number, Data>;

const known = new WeakMap<Data, Windows>();
const none: Windows = new Map();

/** More windows than this on one array are made anew each time: they would be memory of their own. */
const MOST_WINDOWS = 4096;

/** The windows on an array; they go when the array goes. */
export function windowsOf(data: Data | null): Windows {
  if (data === null) return none;
  let windows = known.get(data);
  if (windows === undefined) {
    windows = new Map();
    known.set(data, windows);
  }
  return windows;
}

/**
 * `data.subarray(start, start + length)`, the same object for the same question, so that a loop over tiles allocates only when
 * it first meets an array: `set` takes no part of an array.
 */
export function windowOf<T extends Data>(data: T, windows: Windows, start: number, length: number): T {
  if (length === data.length) return data;
  let window = windows.get(start);
  // A tile at the end may be shorter than the one that began there for another shape.
  if (window === undefined || window.length !== length) {
    window = data.subarray(start, start + length);
    if (windows.size < MOST_WINDOWS) windows.set(start, window);
  }
  return window as T;
}
