import { type Worst, worse } from "../accuracy/compare.ts";
import { type Check, type Failure, outcomeOf, telling } from "../checks/check.ts";
import { whyLacking } from "../checks/needs.ts";
import { thrownFailure } from "../checks/thrown.ts";
import { judge } from "./judge.ts";
import { type LifeOptions, live } from "./life.ts";

/** A kind of life: what is done most in it, and the clause that is about that. */
interface LifeKind extends LifeOptions {
  readonly id: string;
  readonly clause: string;
  readonly needs?: "out" | "gradients";
  /** How many there are, and how much happens in each. */
  readonly lives: number;
  readonly length: number;
}

const WEIGHTS: LifeOptions["weights"] = { call: 8, backward: 4, setState: 1, state: 1, freeze: 1, refuse: 1, visit: 0 };
const LIFE = { weights: WEIGHTS, layers: 1, overlap: false, out: 0, shapes: 9, lives: 20, length: 40 };

/** Random lives, one more of this than the other. */
const KINDS: readonly LifeKind[] = [
  { ...LIFE, id: "life/shapes", clause: "3.2", weights: { ...WEIGHTS, call: 20, state: 0 } },
  { ...LIFE, id: "life/one-shape", clause: "7.5", shapes: 1, weights: { ...WEIGHTS, call: 20 }, lives: 3, length: 200 },
  { ...LIFE, id: "life/states", clause: "5.4", weights: { ...WEIGHTS, setState: 4 } },
  { ...LIFE, id: "life/freezing", clause: "4.3", weights: { ...WEIGHTS, freeze: 5 } },
  { ...LIFE, id: "life/gradients", clause: "10.7", needs: "gradients", weights: { ...WEIGHTS, backward: 10 } },
  { ...LIFE, id: "life/refusals", clause: "14.1", weights: { ...WEIGHTS, refuse: 6 } },
  { ...LIFE, id: "life/buffers", clause: "17.4", needs: "out", out: 0.7 },
  { ...LIFE, id: "life/neighbours", clause: "1.4", layers: 3, weights: { ...WEIGHTS, visit: 2 } },
  { ...LIFE, id: "life/overlapping", clause: "17.1", layers: 2, overlap: true, weights: { ...WEIGHTS, freeze: 3, setState: 2, visit: 1 } },
];

/** All kinds of lives, as checks. */
export function lifeChecks(seed: number): readonly Check[] {
  return KINDS.map((kind) => ({
    id: kind.id,
    kind: "property",
    clause: kind.clause,
    skip: (supports) => whyLacking(kind.needs === undefined ? [] : [kind.needs], supports),
    run: async (backend) => {
      let worst: Worst | null = null;
      const failures: Failure[] = [];
      for (let each = 0; each < kind.lives && failures.length === 0; each++) {
        const which = `It is life ${each} of seed ${seed}`;
        try {
          const { layers, violations } = await live(backend, kind, kind.length, seed + each);
          failures.push(...violations.map((message) => ({ message: `clause ${kind.clause}: ${message} ${which}.` })));
          for (const [index, layer] of layers.entries()) {
            const found = await judge(layer, kind.clause, backend.supports);
            worst = worse(worst, found.worst);
            failures.push(...found.failures.map((failure) => ({ ...failure, message: `${failure.message} ${which}, layer ${index}.` })));
          }
        } catch (error) {
          failures.push(thrownFailure(kind, error, `. ${which}.`));
        }
      }
      return { ...outcomeOf([]), worst, failures: telling(failures), failureCount: failures.length };
    },
  }));
}
