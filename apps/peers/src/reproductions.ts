import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../reproductions/", import.meta.url);

export function sourceOf(file: string): string {
  return readFileSync(new URL(file, FOLDER), "utf8").trimEnd();
}

/** What tfjs says whenever it starts in Node. */
const NOTICE = /^=+\nHi, looks like you are running TensorFlow\.js in Node\.js\..*\n=+\n?/m;

/**
 * Runs a reproduction and gives what it prints.
 *
 * @throws Error when it fails.
 */
export function runReproduction(file: string, python?: string): string {
  const program = file.endsWith(".py") ? python! : process.execPath;
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1", TF_CPP_MIN_LOG_LEVEL: "3" };
  const { status, stdout, stderr } = spawnSync(program, [fileURLToPath(new URL(file, FOLDER))], {
    encoding: "utf8",
    env,
    timeout: 120_000,
  });
  if (status !== 0) throw new Error(`The reproduction ${file} failed: ${stderr.slice(-1000)}`);
  return stdout.replace(NOTICE, "").trim();
}
