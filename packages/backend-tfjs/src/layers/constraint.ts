import { type Tensor, tidy, type Variable } from "@tensorflow/tfjs-core";
import type { LayerVariable } from "@tensorflow/tfjs-layers";
import type { Constraint } from "./base.ts";

/**
 * Makes a weight obey its constraint after every step of an optimizer, as in Keras. tfjs 4.22 applies constraints only to weights
 * that are set through its layers; its optimizers write past that. So the weight is projected when it is next read.
 */
export function enforceConstraint(weight: LayerVariable | undefined, constraint: Constraint | null | undefined): void {
  if (!weight || !constraint) return;
  const read = weight.read.bind(weight);
  // The data that obeys, or that nobody has trained yet.
  let settled = read().dataId;
  weight.read = (): Tensor => {
    const variable = read() as Variable;
    if (variable.dataId !== settled) {
      tidy(() => variable.assign(constraint.apply(variable) as never));
      settled = variable.dataId;
    }
    return variable;
  };
}
