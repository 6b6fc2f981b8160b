import type { JSX } from "preact";
import { Opened } from "./opened.tsx";
import { plural } from "./words.ts";

export interface ListedChecksProps {
  readonly title: string;
  readonly groups: readonly (readonly [reason: string, ids: readonly string[]])[];
}

/** Checks by the reason why they did not simply pass or fail, each group to be opened. */
export function ListedChecks({ title, groups }: ListedChecksProps): JSX.Element {
  return (
    <>
      <h3>{title}</h3>
      {groups.map(([reason, ids]) => (
        <Opened
          key={reason}
          summary={
            <>
              {reason} <small>{plural(ids.length, "check")}</small>
            </>
          }
        >
          <ul class="ids">
            {ids.map((id) => (
              <li key={id}>
                <code>{id}</code>
              </li>
            ))}
          </ul>
        </Opened>
      ))}
    </>
  );
}
