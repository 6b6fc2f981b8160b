import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** A program, and how people get it. */
export interface ProgramNames {
  /** As people call it. */
  readonly title: string;
  /** The environment variable that may name its path. */
  readonly variable: string;
  /** What it is called on the PATH, the first choice first. */
  readonly names: readonly string[];
  /** The package of Debian. */
  readonly debian: string;
}

/**
 * The program that the environment variable names, or the first one on the PATH.
 *
 * @throws Error when there is none: a sentence that says how to get one.
 */
export function findProgram({ title, variable, names, debian }: ProgramNames): string {
  const { PATH = "" } = process.env;
  const named = process.env[variable];
  const candidates = named ? [named] : PATH.split(delimiter).flatMap((directory) => names.map((name) => join(directory, name)));
  const found = candidates.find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(
    named
      ? `${variable} is ${named}, where there is no program that may be executed.`
      : `There is no ${title} on the PATH: install one (Debian: apt-get install ${debian}), or name it in the environment variable ${variable}.`,
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
