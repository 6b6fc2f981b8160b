import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { ROOT } from "@batchnorm/packing";
import { runReadmeExample } from "../../../scripts/readme-example.ts";
import type { Project } from "./project.ts";

/** A ```ts block of a package's README. */
export interface Example {
  /** The package's folder. */
  readonly package: string;
  readonly index: number;
  readonly source: string;
}

/** The files that the examples of a package read. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  "onnx-model": [
    "test/models/recalibration/digits.onnx",
    "test/models/handmade/external-data.onnx",
    "test/models/handmade/external-data.onnx.data",
  ],
  weights: ["test/files/keras/functional.keras"],
};

const pathOf = (name: string): string => join(ROOT, "packages", name, "README.md");

/** The README of a package of this repository. */
export function readme(name: string): string {
  return readFileSync(pathOf(name), "utf8");
}

/** The ```ts blocks of a package's README. */
export function examplesOf(name: string): Example[] {
  return [...readme(name).matchAll(/^```ts\n(.*?)^```$/gms)].map(([, source], index) => ({ package: name, index, source }));
}

/** What a README says to install: the packages of its first `npm install`. */
export function installedBy(name: string): string[] {
  const line = /^npm install (.*)$/m.exec(readme(name))?.[1];
  if (line === undefined) throw new Error(`The README of ${name} has no line with npm install`);
  return line.split(" ").filter((word) => !word.startsWith("-"));
}

/** What the example prints in this repository, from the sources; that it is what its comments say is tested in the package. */
export function printedFromSources(example: Example): string {
  return runReadmeExample(pathOf(example.package), example.index);
}

/** Writes an example into a project as TypeScript and as JavaScript, with the files that it reads. Returns the name before .ts and .mjs. */
export async function writeExample(project: Project, { package: name, index, source }: Example): Promise<string> {
  const file = `example-${name}-${index}`;
  await project.write(`${file}.ts`, source);
  await project.write(`${file}.mjs`, stripTypeScriptTypes(source));
  for (const path of FILES[name] ?? []) await project.write(path, readFileSync(join(ROOT, "packages", name, path)));
  return file;
}
