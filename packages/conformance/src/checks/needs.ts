import type { Supports } from "@batchnorm/spec";

/** What a backend has to be able to do for a check to apply. */
export type Need = "training" | "gradients" | "masks" | "out" | "reject";

const LACKING: Readonly<Record<Need, string>> = {
  training: "training is not supported",
  gradients: "gradients are not supported",
  masks: "masks are not supported",
  out: "out is not supported",
  reject: "nonFinite 'reject' is not supported",
};

/** What of these needs a manifest does not have, in words; null where it has them all. */
export function whyLacking(needs: readonly Need[], supports: Supports): string | null {
  const missing = needs.find((need) => !(need === "reject" ? supports.nonFinite.includes("reject") : supports[need]));
  return missing === undefined ? null : LACKING[missing];
}
