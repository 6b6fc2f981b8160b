import type { Message, Order } from "./messages.ts";

/** Where one backend runs by itself: a process, or a page. It is told what to do when it is started. */
export interface Place {
  /** Resolves when it has ended by itself. */
  readonly ended: Promise<Ending>;
  /** Ends it, whatever it does. */
  stop(): Promise<void>;
}

/** How a place came to its end. */
export interface Ending {
  /** Words that go on with `while ... ran`, such as `the process ended with exit code 1`. */
  readonly what: string;
  /** What it wrote about that. */
  readonly detail?: string;
  /** Whether another place would fare no better: what is left is then not run. */
  readonly final?: boolean;
}

/** Starts a place for an order. `tell` gets its messages in the order in which they were sent, and all of them before `ended`. */
export type StartPlace = (order: Order, tell: (message: Message) => void) => Place;
