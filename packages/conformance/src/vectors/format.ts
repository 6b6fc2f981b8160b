import type { BatchNormConfig } from "@batchnorm/spec";

/** What is on disk, as docs/vectors.md describes it. A tensor is named; its data lies in the family's safetensors file. */
export interface Manifest {
  readonly generated: string;
  readonly formatVersion: 1;
  readonly specVersion: 1;
  readonly seed: number;
  readonly python: string;
  readonly versions: Readonly<Record<string, string>>;
  /** The number of all cases. */
  readonly count: number;
  readonly files: readonly FamilyFiles[];
  /** Each flag of a case, explained once. */
  readonly flags: Readonly<Record<string, string>>;
  readonly absent: readonly { readonly framework: string; readonly cases: readonly string[]; readonly reason: string }[];
  /** The model of the family `digits`, and how well it learned. */
  readonly digits: { readonly trainingImages: number; readonly testImages: number; readonly epochs: number; readonly accuracy: number };
}

export interface FamilyFiles {
  readonly family: string;
  readonly cases: number;
  readonly json: FileEntry;
  readonly data: FileEntry;
}

export interface FileEntry {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface StoredCase {
  readonly id: string;
  readonly clause: string;
  readonly flags: readonly string[];
  readonly reference: string;
  readonly config: BatchNormConfig;
  readonly state: {
    readonly parameters: StoredParameters;
    readonly statistics: { readonly movingMean: string; readonly movingVariance: string };
  };
  readonly steps: readonly StoredStep[];
}

export interface StoredParameters {
  readonly gamma: string | null;
  readonly beta: string | null;
}

export interface StoredStep {
  readonly training: boolean;
  readonly trainable: boolean;
  readonly parameters: StoredParameters | null;
  readonly x: string;
  readonly mask: string | null;
  readonly dy: string | null;
  readonly truth: StoredOutputs & { readonly batchMean: string | null; readonly batchVariance: string | null };
  readonly results: Readonly<Record<string, StoredOutputs>>;
}

/** The names of what a step gives, by `OUTPUTS`. */
export type StoredOutputs = Readonly<Record<OutputName, string | null>>;

/** Everything that a step gives and that a backend is held to. */
export const OUTPUTS = ["y", "movingMean", "movingVariance", "dx", "dgamma", "dbeta"] as const;
export type OutputName = (typeof OUTPUTS)[number];
