import type { AnyBackend, Check } from "@batchnorm/conformance";

/** Another implementation of batch normalization, and what of it can be judged. */
export interface Peer {
  /** The name of its backend, such as `tfjs-layers/cpu`. */
  readonly name: string;
  /** What it is, for the report: `BatchNormalization of tfjs-layers`. */
  readonly title: string;
  /** The packages whose versions count. */
  readonly packages: readonly string[];
  /** Where it runs. */
  readonly runtime: "Node" | "Chromium" | "Python";
  /** How it is used, and what it does not claim, in sentences. */
  readonly claims: readonly string[];
  /** Why it does not claim to do what a check asks, besides what its manifest says; null where it does. */
  readonly declines?: (check: Check) => string | null;
  open(): Promise<AnyBackend>;
}
