import type { Progress } from "../suite.ts";

/** One line on a terminal that shows how far the run has come; nothing elsewhere. */
export class ProgressLine {
  readonly #failed = new Map<string, number>();

  readonly show = ({ backend, done, total, last }: Progress): void => {
    const name = "id" in last ? last.id : last.mutant;
    const failed = (this.#failed.get(backend) ?? 0) + Number("id" in last && (last.status === "failed" || last.status === "not-run"));
    this.#failed.set(backend, failed);
    if (!process.stderr.isTTY) return;
    const line = `${backend}  ${done}/${total}  ${failed > 0 ? `${failed} failed  ` : ""}${name}`;
    process.stderr.write(`\r\u001B[K${line.slice(0, (process.stderr.columns || 80) - 1)}`);
  };

  /** What a backend prints is shown beside the report, and not in it. */
  readonly print = (text: string): void => {
    this.clear();
    process.stderr.write(text);
  };

  clear(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\u001B[K");
  }
}
