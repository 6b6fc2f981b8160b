import { access, constants, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type OnnxModel, writeModel } from "@batchnorm/onnx-model";
import { EXTERNAL, type ModelProto, tensorsOf } from "@batchnorm/onnx-model/proto";
import { invalidFile, wrongUse } from "./status.ts";

/** A file's text as JSON. */
export async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw invalidFile("The file could not be read", messageOf(cause), "the path of a JSON file", cause);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalidFile("The file is not JSON", path, "a file that this command wrote with --json or --out", cause);
  }
}

/** Writes a file as a whole or not at all: what was there stays until the new one is complete. */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${process.pid}.part`;
  try {
    await writeFile(temporary, content);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw wrongUse("The file could not be written", messageOf(cause), "a path that can be written", cause);
  }
}

export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeWhole(path, `${JSON.stringify(value, null, 1)}\n`);
}

/**
 * Writes a changed model. Data that lies in files beside the model stays there, so such a model has to stay in its folder.
 *
 * @param source the path that the model was read from.
 */
export async function writeModelFile(model: OnnxModel, source: string, out: string): Promise<void> {
  const [from, to] = [await realpath(dirname(resolve(source))), await folderOf(out)];
  if (from !== to && hasExternalData(model.proto)) {
    throw wrongUse("The model has data in files beside it and would lose them", out, `a path in ${from}`);
  }
  await writeWhole(out, writeModel(model));
}

/**
 * Refuses an output that cannot be written, before hours of measuring.
 *
 * @throws BatchNormError `invalid-argument`.
 */
export async function checkOutput(path: string): Promise<void> {
  const folder = await folderOf(path);
  try {
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw wrongUse("The folder cannot be written to", folder, "one that can", cause);
  }
}

async function folderOf(path: string): Promise<string> {
  try {
    return await realpath(dirname(resolve(path)));
  } catch (cause) {
    throw wrongUse("The folder does not exist", dirname(path), "a folder that exists", cause);
  }
}

function hasExternalData(proto: ModelProto): boolean {
  for (const { dataLocation } of tensorsOf(proto)) if (dataLocation === EXTERNAL) return true;
  return false;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
