import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";

export interface OpenedProps {
  readonly summary: ComponentChildren;
  readonly open?: boolean;
  readonly children: ComponentChildren;
}

/** What can be opened. Its content is made only then: a backend may fail a thousand checks. */
export function Opened({ summary, open = false, children }: OpenedProps): JSX.Element {
  const [isOpen, setOpen] = useState(open);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{summary}</summary>
      {isOpen && <div class="content">{children}</div>}
    </details>
  );
}
