import { BatchNormError } from "../errors.ts";
import { isRecord } from "../object.ts";

/** The dtype policies under which all four variables of the layer are float32. */
const FLOAT32_POLICIES: readonly unknown[] = ["float32", "mixed_float16", "mixed_bfloat16"];

/**
 * Checks the `dtype` of a Keras layer: a policy's name, or a serialized policy `{ class_name, config: { name } }`.
 *
 * @throws BatchNormError `unknown-dtype`.
 */
export function checkKerasDType(dtype: unknown): void {
  const name = isRecord(dtype) && isRecord(dtype.config) ? dtype.config.name : dtype;
  if (!FLOAT32_POLICIES.includes(name)) {
    throw new BatchNormError("unknown-dtype", "The layer's variables are not float32", name ?? dtype, FLOAT32_POLICIES.join(" or "));
  }
}
