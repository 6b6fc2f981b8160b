import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

export interface ScrollProps {
  /** What is in it, for those who hear the page. */
  readonly label: string;
  readonly children: ComponentChildren;
}

/** What may be wider than the page. Where it is, it can be reached and scrolled with the keyboard. */
export function Scroll({ label, children }: ScrollProps): JSX.Element {
  const element = useRef<HTMLElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useLayoutEffect(() => {
    const { current } = element;
    if (current === null) return;
    const observer = new ResizeObserver(() => setScrolls(current.scrollWidth > current.clientWidth));
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return (
    <section ref={element} class="scroll" aria-label={label} tabIndex={scrolls ? 0 : undefined}>
      {children}
    </section>
  );
}
