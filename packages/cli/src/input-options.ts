import type { OnnxModel } from "@batchnorm/onnx-model";
import { type Feeds, type Runtime, randomInputs } from "@batchnorm/onnx-model/execute";
import { InvalidArgumentError } from "commander";
import { openData } from "./data-options.ts";
import { wrongUse } from "./status.ts";

export type Shapes = Readonly<Record<string, readonly number[]>>;

/** The options of commands that run a model once. */
export interface InputOptions {
  readonly input?: readonly string[];
  readonly array?: readonly string[];
  readonly random: number;
  readonly shape?: Shapes;
}

/** The first batch of the files that were given, or random numbers. */
export async function inputsFor(model: OnnxModel, ort: Runtime, { input, array, random, shape }: InputOptions): Promise<Feeds> {
  if (input === undefined) return randomInputs(model, ort, { seed: random, ...(shape === undefined ? {} : { shapes: shape }) });
  if (shape !== undefined) throw wrongUse("Shapes are those of the data", "--input and --shape", "one of the two");
  const set = await openData(model, { data: input, ...(array === undefined ? {} : { array }) });
  try {
    for await (const feeds of set.batches(ort)) return feeds;
    throw wrongUse("The data has no samples", input[0], "at least one");
  } finally {
    await set.close();
  }
}

export function seedOption(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError("A whole number is expected.");
  return value;
}

/** `image=4,3,224,224`, several times. */
export function shapeOption(text: string, before: Shapes | undefined): Shapes {
  const [, name, sizes] = /^(.+)=(\d+(?:,\d+)*)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError("INPUT=4,3,224,224 is expected.");
  return { ...before, [name]: sizes.split(",").map(Number) };
}
