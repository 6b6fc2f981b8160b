import type { Feeds, Runtime } from "@batchnorm/onnx-model/execute";

/** Data for a model, in batches. */
export interface DataSource {
  /** How many batches there are; null where only the last one tells. */
  readonly length: number | null;
  /** What tells this data, cut into these batches, from other data. */
  readonly fingerprint: string;
  /** From the first batch on, however often it was read. One batch is in memory at a time. */
  batches(ort: Runtime): AsyncGenerator<Feeds>;
  /** How many samples are in the batches, and in all of the data. Known after the last batch. */
  counts(): { readonly samples: number; readonly totalSamples: number };
  close(): Promise<void>;
}

/** Only every n-th batch, from the i-th on. */
export interface ShardOfBatches {
  readonly index: number;
  readonly of: number;
}

export const WHOLE: ShardOfBatches = { index: 1, of: 1 };

export function isInShard(batch: number, { index, of }: ShardOfBatches): boolean {
  return batch % of === index - 1;
}
