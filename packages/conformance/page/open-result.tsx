import type { JSX, TargetedEvent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Matrix, readMatrix } from "../src/matrix/index.ts";
import { day } from "./words.ts";

export interface OpenResultProps {
  readonly shown: Matrix | null;
  readonly compared: Matrix | null;
  /** Takes one result or two, the earlier one first. */
  readonly onOpen: (matrices: readonly Matrix[]) => void;
}

/** Takes the file of another result, chosen or dropped anywhere on the page, to be compared with the one that is shown. */
export function OpenResult({ shown, compared, onOpen }: OpenResultProps): JSX.Element {
  const [problem, setProblem] = useState<string | null>(null);
  const open = async (files: readonly File[]): Promise<void> => {
    try {
      const opened = await Promise.all(files.slice(0, 2).map(async (file) => readMatrix(await file.text())));
      if (opened.length === 0) return;
      setProblem(null);
      onOpen(byTime(opened.length === 2 || shown === null ? opened : [shown, ...opened]));
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  useEffect(() => {
    const allow = (event: DragEvent): void => event.preventDefault();
    const drop = (event: DragEvent): void => {
      event.preventDefault();
      void open([...(event.dataTransfer?.files ?? [])]);
    };
    addEventListener("dragover", allow);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", allow);
      removeEventListener("drop", drop);
    };
  });
  const choose = (event: TargetedEvent<HTMLInputElement>): void => {
    const { files } = event.currentTarget;
    void open([...(files ?? [])]);
  };
  return (
    <section class="quiet">
      <h2>{shown === null ? "Open a result" : "Compare"}</h2>
      <p>
        {shown === null
          ? "Choose or drop a result file, such as reports/matrix.json. Two files are compared."
          : "Choose or drop a second result file, to see what changed. Nothing leaves this page."}
      </p>
      <label class="file">
        Result file <input type="file" accept=".json,application/json" multiple onChange={choose} />
      </label>
      {problem !== null && <p role="alert">{problem}</p>}
      {shown !== null && compared !== null && (
        <p>
          <button type="button" onClick={() => onOpen([shown])}>
            Show {day(shown.started)} alone
          </button>
        </p>
      )}
    </section>
  );
}

function byTime(matrices: readonly Matrix[]): Matrix[] {
  return [...matrices].sort((a, b) => Date.parse(a.started) - Date.parse(b.started));
}
