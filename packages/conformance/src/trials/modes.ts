import type { TrialStep } from "./trial.ts";

/** What a step does, whatever its shape is. */
export type Mode = Omit<TrialStep, "shape" | "x" | "dy">;

const STEP: Mode = { training: true, trainable: true, gradient: false };

export type ModeName =
  | "inference"
  | "inference-gradient"
  | "training"
  | "training-gradient"
  | "masked"
  | "masked-gradient"
  | "masked-all"
  | "frozen"
  | "hidden";

/** The ways through a layer that differ, and the clause that is about each. */
export const MODES: Readonly<Record<ModeName, Mode & { readonly clause: string }>> = {
  inference: { clause: "5.1", ...STEP, training: false },
  "inference-gradient": { clause: "10.2", ...STEP, training: false, gradient: true },
  training: { clause: "6.2", ...STEP },
  "training-gradient": { clause: "10.1", ...STEP, gradient: true },
  masked: { clause: "9.1", ...STEP, mask: "some" },
  "masked-gradient": { clause: "10.5", ...STEP, gradient: true, mask: "some" },
  "masked-all": { clause: "9.1", ...STEP, mask: "all" },
  frozen: { clause: "10.4", ...STEP, trainable: false, gradient: true },
  hidden: { clause: "9.4", ...STEP, gradient: true, mask: "none" },
};

export const ALL_MODES = Object.keys(MODES) as ModeName[];

/** One step of this mode. */
export function step(mode: ModeName, shape: readonly number[], numbers: Pick<TrialStep, "x" | "dy"> = {}): TrialStep {
  const { clause: _, ...does } = MODES[mode];
  return { ...does, shape, ...numbers };
}
