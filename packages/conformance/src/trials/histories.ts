import { step } from "./modes.ts";
import type { Trial } from "./trial.ts";
import type { TrialGroup } from "./trial-check.ts";

const SHAPE = [6, 3];

/** What only many steps of one layer show. */
export const HISTORIES: readonly TrialGroup[] = [
  {
    id: "history/many-steps",
    clause: "7.5",
    trials: [0.99, 0.5].map(
      (momentum): Trial => ({
        name: `300 steps with momentum ${momentum}`,
        axis: -1,
        config: { momentum },
        steps: Array.from({ length: 300 }, (_, index) => step(index % 7 === 6 ? "inference" : "training", SHAPE)),
      }),
    ),
  },
];
