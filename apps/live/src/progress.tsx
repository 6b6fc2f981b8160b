import type { JSX } from "preact";
import type { LiveProgress } from "./run.ts";

/** How far each backend has come. */
export function Progress({ all }: { readonly all: readonly LiveProgress[] }): JSX.Element {
  const ended = all.filter(({ state }) => state !== "running").at(-1);
  return (
    <>
      {all.map(({ backend, done, total, failed, state }) => (
        <p key={backend} class="progress">
          <label>
            {backend} <progress value={done} max={total} />
          </label>{" "}
          <small>
            {state === "cancelled" ? "cancelled" : done === 0 ? "starting" : `${done} of ${total}`}
            {failed > 0 && `, ${failed} failed`}
          </small>
        </p>
      ))}
      {/* Read aloud when a backend has ended, and not at every check. */}
      <p role="status" class="hidden">
        {ended === undefined ? "" : `${ended.backend} ${ended.state === "done" ? `is done: ${ended.failed} failed` : "was cancelled"}`}
      </p>
    </>
  );
}
