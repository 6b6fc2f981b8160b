import { isCellSound, type MatrixCell } from "@batchnorm/conformance/matrix";

/** A line for every cell when it is done, on stdout: a run is long, and whoever waits wants to see which one takes its time. */
export class ProgressLines {
  readonly #total: number;
  #done = 0;

  constructor(total: number) {
    this.#total = total;
  }

  readonly step = (what: string): void => console.log(`${this.#total} cells: ${what}`);

  readonly cell = (cell: MatrixCell, duration: number): void => {
    this.#done++;
    const place = `[${String(this.#done).padStart(String(this.#total).length)}/${this.#total}]`;
    console.log(`${place} ${describe(cell)}  ${(duration / 1000).toFixed(1)} s`);
  };
}

function describe(cell: MatrixCell): string {
  const title = `${cell.runtime.padEnd(8)} ${cell.backend}`;
  if (cell.status === "not-run") return `- ${title}  not run: ${cell.reason}`;
  const { passed, failed, skipped, xfailed, notRun, problems } = cell.result;
  const counts = [
    `${passed} passed`,
    failed > 0 ? `${failed} failed` : "",
    notRun > 0 ? `${notRun} not run` : "",
    skipped > 0 ? `${skipped} skipped` : "",
    xfailed > 0 ? `${xfailed} deviate` : "",
    ...problems,
  ];
  return `${isCellSound(cell) ? "✓" : "✗"} ${title}  ${counts.filter(Boolean).join(", ")}${cell.run.quick ? " (quick)" : ""}`;
}
