import { Call } from "./call";
import { FIRST, SECOND } from "./layout";

/** Adds the sums of all chunks (`rows`), `length` columns each, to those of the first, in order: the same result on any number of threads. */
export function merge(call: Call): void {
  const width = call.length * 8;
  const chunks = call.rows;
  for (let chunk: usize = 1; chunk < chunks; chunk++) {
    for (let k: usize = 0; k < width; k += 8) {
      const other = chunk * width + k;
      store<f64>(FIRST + k, load<f64>(FIRST + k) + load<f64>(FIRST + other));
      store<f64>(SECOND + k, load<f64>(SECOND + k) + load<f64>(SECOND + other));
    }
  }
}
