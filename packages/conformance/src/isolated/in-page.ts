import { stackOf } from "../stack.ts";
import { type Environment, messageOf } from "./inside.ts";
import type { Message } from "./messages.ts";

// The little of a page or a worker that is needed here: the types of this package are Node's.
declare function addEventListener(type: string, listener: (event: UncaughtEvent) => void): void;
declare class MessageChannel {
  readonly port1: { onmessage: (() => void) | null; close(): void };
  readonly port2: { postMessage(message: null): void };
}
interface UncaughtEvent {
  readonly error?: unknown;
  readonly message?: string;
  readonly reason?: unknown;
  preventDefault(): void;
}

/**
 * What pages and workers do alike inside of `runInside`. From here on, errors that nobody catches are told: they are heard of
 * here before the check has finished, and outside of the page only some time later.
 */
export function inPage(tell: (message: Message) => Promise<void>): Pick<Environment, "tell" | "settle" | "explain"> {
  const tellUncaught = (event: UncaughtEvent, error: unknown): void => {
    event.preventDefault();
    const stack = stackOf(error);
    void tell({ kind: "uncaught", why: messageOf(error), ...(stack !== null && { detail: stack }) });
  };
  addEventListener("error", (event) => tellUncaught(event, event.error ?? event.message));
  addEventListener("unhandledrejection", (event) => tellUncaught(event, event.reason));
  return { tell, settle, explain: stackOf };
}

/** A rejection that nobody handles is told of in a task that comes after the one in which it happened. */
async function settle(): Promise<void> {
  await nextTask();
  await nextTask();
}

/** A timer would wait for some milliseconds. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
