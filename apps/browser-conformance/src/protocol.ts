import type { CaseResult, PropertyOptions } from "@batchnorm/conformance";

/** What Node can ask of the page. */
export interface ConformancePage {
  /** Loads the config. Gives the number of its backends. */
  load(): Promise<number>;
  /** Makes the backend at this place of the config. Gives its name. */
  open(index: number): Promise<string>;
  /** Takes the opened backend through the suite, announcing every check. Gives the problems of the run itself. */
  run(options: PageRunOptions): Promise<readonly string[]>;
}

export interface PageRunOptions {
  readonly only: string | null;
  readonly properties: PropertyOptions;
}

/** What the page tells Node of a running suite: which check begins, and what became of it. */
export type Announcement = { readonly started: string } | { readonly done: number; readonly total: number; readonly result: CaseResult };

declare global {
  var conformance: ConformancePage;
  /** Node's end of the line. Takes what `encode` gives. */
  var announce: (text: string) => Promise<void>;
}

/** JSON has no NaN and no infinities, and results have: such a number becomes an object that names it. */
export function encode(announcement: Announcement): string {
  return JSON.stringify(announcement, (_, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? { notFinite: String(value) } : value,
  );
}

/** What `encode` was given. */
export function decode(text: string): Announcement {
  return JSON.parse(text, (_, value: { notFinite?: string } | null) => (value?.notFinite === undefined ? value : Number(value.notFinite)));
}
