/** How many frames are kept. */
const KEPT = 8;

/**
 * Where an error comes from: the frames of its innermost cause that lie in the backend, a line each; null where there is none. The
 * runtime's own frames are left out, and those of the suite, which called it.
 */
export function stackOf(error: unknown): string | null {
  const source = innermost(error);
  if (!(source instanceof Error) || typeof source.stack !== "string") return null;
  // V8 starts with the message, which may have lines of its own; others start with the first frame.
  const lines = source.stack.split("\n").filter((line) => /^\s*at |@.*:\d+:\d+$/.test(line));
  const end = OWN === null ? -1 : lines.findIndex((line) => line.includes(OWN));
  const frames = (end < 0 ? lines : lines.slice(0, end)).filter(
    (line) => !/node:internal|\/node_modules\/jiti\/|<anonymous>\)?$/.test(line),
  );
  const kept = frames.slice(0, KEPT).map((line) => line.trim());
  const cause = source === error ? [] : [`${source.name}: ${source.message.split("\n")[0]}`];
  return kept.length === 0 ? null : [...cause, ...kept].join("\n");
}

/** The directory of this package's code; null where it is bundled with the backend's. */
const OWN: string | null = import.meta.url.startsWith("file:")
  ? decodeURI(new URL(/* @vite-ignore */ ".", import.meta.url).pathname)
  : null;

function innermost(error: unknown): unknown {
  let source = error;
  for (let depth = 0; depth < 10 && source instanceof Error && source.cause instanceof Error; depth++) source = source.cause;
  return source;
}
