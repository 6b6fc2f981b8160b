import type { OnnxModel } from "@batchnorm/onnx-model";
import { InvalidArgumentError } from "commander";
import { BatchModule, isModule } from "./data/batch-module.ts";
import { DataSet } from "./data/data-set.ts";
import type { DataSource } from "./data/data-source.ts";
import { wrongUse } from "./status.ts";

/** The options of commands that read data. */
export interface DataOptions {
  readonly data: readonly string[];
  readonly batchSize?: number;
  readonly array?: readonly string[];
}

export async function openData(model: OnnxModel, { data, batchSize, array = [] }: DataOptions, shard?: ShardOption): Promise<DataSource> {
  const arrays = new Map(array.map(pairOf));
  const module = data.find(isModule);
  if (module !== undefined) {
    if (data.length > 1) throw wrongUse("A module gives all of the data", data.join(" "), "the module alone");
    if (batchSize !== undefined) throw wrongUse("A module cuts its batches itself", `--batch-size ${batchSize}`, "no --batch-size");
    if (array.length > 0) throw wrongUse("A module names its arrays itself", `--array ${array.join(" ")}`, "no --array");
    return BatchModule.open(model, module, shard);
  }
  return DataSet.open(model, data, {
    arrays,
    ...(batchSize === undefined ? {} : { batchSize }),
    ...(shard === undefined ? {} : { shard }),
  });
}

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value))
    throw new InvalidArgumentError("A whole number from 1 on is expected.");
  return value;
}

export interface ShardOption {
  readonly index: number;
  readonly of: number;
}

/** `2/8` */
export function shardOption(text: string): ShardOption {
  const [, index, of] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  if (!(index >= 1 && index <= of)) throw new InvalidArgumentError("i/n is expected, with i from 1 to n.");
  return { index, of };
}

/** `input=name` */
function pairOf(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError(`--array ${text}: INPUT=NAME is expected.`);
  return [text.slice(0, at), text.slice(at + 1)];
}
