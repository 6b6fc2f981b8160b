import { describeValue, SPEC_VERSION, type Supports } from "@batchnorm/spec";
import type { AnyBackend } from "./check.ts";

const DTYPES = ["float32", "float64", "float16", "bfloat16"];
const FLAGS = ["training", "gradients", "masks", "out"] as const;

/**
 * What is wrong with a backend's name and manifest (clause 18.2), a sentence each. With a manifest that is not in order nobody can
 * say which checks apply.
 */
export function manifestFaults({ name, supports }: Pick<AnyBackend, "name" | "supports">): string[] {
  if (typeof supports !== "object" || supports === null) return [`supports is ${describeValue(supports)}, expected an object.`];
  const { maxRank, axes, dtypes, minElements, varianceEstimators, nonFinite, accumulation, subnormals } = supports as Partial<Supports>;
  const faults: string[] = [];
  const expect = (holds: boolean, field: keyof Supports, wanted: string): void => {
    if (!holds) faults.push(`${field} is ${describeValue((supports as Partial<Supports>)[field])}, expected ${wanted}.`);
  };
  if (typeof name !== "string" || name.length === 0) faults.push(`The name is ${describeValue(name)}, expected a text.`);
  expect(maxRank === null || isWhole(maxRank, 2), "maxRank", "null, or a whole number of at least 2");
  expect(axes === "any" || axes === "last", "axes", "any or last");
  expect(isListOf(dtypes, DTYPES) && dtypes.includes("float32"), "dtypes", `a list of ${DTYPES.join(", ")}, with float32 among them`);
  for (const flag of FLAGS) expect(typeof supports[flag] === "boolean", flag, "true or false");
  expect(isWhole(minElements, 1), "minElements", "a whole number of at least 1");
  expect(
    isListOf(varianceEstimators, ["population", "sample"]) && varianceEstimators.includes("population"),
    "varianceEstimators",
    "a list of population, sample, with population among them",
  );
  expect(isListOf(nonFinite, ["propagate", "reject"]), "nonFinite", "a list of propagate, reject");
  expect(accumulation === "float32" || accumulation === "float64", "accumulation", "float32 or float64");
  expect(subnormals === "preserved" || subnormals === "flushed", "subnormals", "preserved or flushed");
  return faults;
}

/** What is wrong with the version that a backend was written for (clause 18.1), as a list of no sentence or one. */
export function versionProblems({ specVersion }: Pick<AnyBackend, "specVersion">): string[] {
  if (specVersion === SPEC_VERSION) return [];
  return [`The backend is written for version ${describeValue(specVersion)} of the contract, this suite checks version ${SPEC_VERSION}.`];
}

function isListOf<Word extends string>(value: unknown, words: readonly string[]): value is readonly Word[] {
  return Array.isArray(value) && value.length > 0 && value.every((word) => words.includes(word));
}

function isWhole(value: unknown, least: number): boolean {
  return Number.isInteger(value) && (value as number) >= least;
}
