/** Where a command writes to. Tests give their own. */
export interface Terminal {
  /** Results: stdout. */
  out(text: string): void;
  /** Errors and progress: stderr. */
  err(text: string): void;
  /** Whether stderr is a terminal, on which a line of progress can be written over. */
  readonly isInteractive: boolean;
}

export const processTerminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isInteractive: process.stderr.isTTY === true,
};
