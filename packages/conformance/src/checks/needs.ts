import type { Supports } from "@batchnorm/spec";
import type { HalfDType } from "@batchnorm/spec/half";

/** What a backend has to be able to do for a check to apply. */
export type Need = "training" | "gradients" | "masks" | "out" | "reject" | "half" | "float16-array";

const LACKING: Readonly<Record<Need, string>> = {
  training: "training is not supported",
  gradients: "gradients are not supported",
  masks: "masks are not supported",
  out: "out is not supported",
  reject: "nonFinite 'reject' is not supported",
  half: "half precision is not supported",
  "float16-array": "a Float16Array is not supported, by the backend or by this runtime",
};

/** What of these needs a manifest does not have, in words; null where it has them all. */
export function whyLacking(needs: readonly Need[], supports: Supports): string | null {
  const missing = needs.find((need) => !has(supports, need));
  return missing === undefined ? null : LACKING[missing];
}

function has(supports: Supports, need: Need): boolean {
  if (need === "reject") return supports.nonFinite.includes("reject");
  if (need === "half") return halvesOf(supports).length > 0;
  if (need === "float16-array") return supports.dtypes.includes("float16") && "Float16Array" in globalThis;
  return supports[need];
}

/** The dtypes of half precision that a backend takes. */
export function halvesOf({ dtypes }: Supports): HalfDType[] {
  return (["float16", "bfloat16"] as const).filter((dtype) => dtypes.includes(dtype));
}
