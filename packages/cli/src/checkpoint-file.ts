import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { readJson, writeJson } from "./files.ts";

/** So often is a checkpoint written, in milliseconds: what is lost when a machine goes down is no more than that. */
const INTERVAL = 5000;

/**
 * The file beside the output in which a measurement keeps how far it is, from its start until the output is written: what
 * Ctrl-C, or anything worse, stopped goes on from it.
 */
export class CheckpointFile {
  readonly path: string;
  #written = Date.now();

  constructor(out: string) {
    this.path = `${out}.checkpoint.json`;
  }

  /** What an earlier run left; undefined for nothing. */
  async read(): Promise<unknown> {
    return existsSync(this.path) ? await readJson(this.path) : undefined;
  }

  /** Called after every batch; writes now and then, and when it is the last chance. */
  async keep(checkpoint: () => unknown, isLast: boolean): Promise<void> {
    const now = Date.now();
    if (!isLast && now - this.#written < INTERVAL) return;
    this.#written = now;
    await writeJson(this.path, checkpoint());
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}
