import { caseBounds, compare } from "@batchnorm/conformance";
import { DEFAULT_CONFIG } from "@batchnorm/spec";
import type { Results } from "./competitor.ts";
import { exactResults } from "./exact.ts";
import type { Task } from "./task.ts";

/** What every competitor may do: sum in float32, and flush subnormal numbers. */
const ACCURACY = { accumulation: "float32", subnormals: "flushed" } as const;

type Bounded = Readonly<Record<keyof Results, { readonly truth: Float64Array; readonly bound: Float64Array } | null>>;

/**
 * Holds results against float64 and the bounds of docs/spec.md, section 12, which are computed once a task.
 * The function it returns throws a sentence about the first number that is too far off.
 */
export function verifier(task: Task): (name: string, results: Results) => void {
  const expected = boundedResults(task);
  return (name, results) => {
    const given = Object.keys(results) as (keyof Results)[];
    if (given.length === 0) throw new Error(`${name} gave nothing to verify.`);
    for (const output of given) {
      const got = results[output];
      const { truth, bound } = expected[output] ?? {};
      if (got === undefined || truth === undefined || bound === undefined) continue;
      if (got.length !== truth.length) throw new Error(`${name}: ${output} has ${got.length} elements, expected ${truth.length}.`);
      const [miss] = compare(output, 0, got, truth, bound).misses;
      if (miss !== undefined) {
        throw new Error(`${name}: ${output}[${miss.index}] is ${miss.got}, expected ${miss.expected} within ${miss.bound}; not timed.`);
      }
    }
  };
}

function boundedResults(task: Task): Bounded {
  const { work, shape, axis, epsilon, momentum, x, dy, state } = task;
  const training = work !== "inference";
  const exact = exactResults(task);
  const { batch, ...truth } = exact;
  const gradient = work === "forward + backward" ? dy : null;
  const step = { training, trainable: true, parameters: null, shape, x, mask: null, dy: gradient, truth, batch, results: {} };
  const config = { ...DEFAULT_CONFIG, axis, epsilon, momentum };
  const [bounds] = caseBounds({ id: "", clause: "", flags: [], reference: null, config, state, steps: [step] }, ACCURACY);
  const bounded = (output: keyof Results): Bounded[keyof Results] => {
    const [values, bound] = [truth[output], bounds[output]];
    return values && bound && { truth: values, bound };
  };
  return {
    y: bounded("y"),
    movingMean: bounded("movingMean"),
    movingVariance: bounded("movingVariance"),
    dx: bounded("dx"),
    dgamma: bounded("dgamma"),
    dbeta: bounded("dbeta"),
  };
}
