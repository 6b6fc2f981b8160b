import { describeValue, type Limits } from "@batchnorm/spec";
import type { Answer } from "./adapter-process.ts";

/** What an adapter says of itself when it is greeted. */
export interface Introduction {
  readonly name: string;
  /** `nothing`: it is asked for arithmetic, and given all that this needs. `layers`: it makes layers that keep their own state. */
  readonly holds: "nothing" | "layers";
  readonly training: boolean;
  readonly gradients: boolean;
  readonly limits: Limits;
}

const FLAGS = ["training", "gradients"] as const;
/** What of these is wrong, the check of the manifest says. */
const LIMITS = ["maxRank", "axes", "dtypes", "minElements", "masks", "varianceEstimators", "accumulation", "subnormals"];

/** @throws Error with what is wrong. */
export function readIntroduction(answer: Answer): Introduction {
  const { name, holds, supports = {} } = answer;
  if (typeof name !== "string" || name === "") throw new Error(`the adapter has the name ${describeValue(name)}, expected a string`);
  if (holds !== "nothing" && holds !== "layers") {
    throw new Error(`the adapter holds ${describeValue(holds)}, expected "nothing" or "layers"`);
  }
  if (typeof supports !== "object" || supports === null) {
    throw new Error(`the adapter supports ${describeValue(supports)}, expected an object`);
  }
  const { training = false, gradients = false, ...limits } = supports as Record<string, unknown>;
  for (const [flag, value] of [training, gradients].entries()) {
    if (typeof value !== "boolean") {
      throw new Error(`the adapter's supports.${FLAGS[flag]} is ${describeValue(value)}, expected true or false`);
    }
  }
  const unknown = Object.keys(limits).find((key) => !LIMITS.includes(key));
  if (unknown !== undefined) {
    const known = [...FLAGS, ...LIMITS].join(", ");
    throw new Error(`the adapter's supports has the field ${describeValue(unknown)}, expected some of ${known}`);
  }
  return { name, holds, training: training as boolean, gradients: gradients as boolean, limits };
}
