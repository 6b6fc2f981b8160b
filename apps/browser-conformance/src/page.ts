import { decode, encode, fetchVectors, type Message, messageOf, type Order, runInside, stackOf } from "@batchnorm/conformance";

declare global {
  /** The outside's end of the line. Takes what `encode` gives. */
  var announce: (text: string) => Promise<void>;
}

// What nobody catches is heard of here before the check has finished, and outside of the page only some time later.
addEventListener("error", (event) => tellUncaught(event, event.error ?? event.message));
addEventListener("unhandledrejection", (event) => tellUncaught(event, event.reason));

/** Runs one backend of the config in this page. Takes an order as `encode` gives it. */
export function run(order: string): Promise<void> {
  return runInside(decode<Order>(order), {
    // Not a static import: a config that throws is told of, and does not end the page.
    load: async () => (await import("virtual:conformance-config")).default,
    vectors: () => fetchVectors("/"),
    tell,
    settle,
    explain: stackOf,
  });
}

function tell(message: Message): Promise<void> {
  return globalThis.announce(encode(message));
}

function tellUncaught(event: Event, error: unknown): void {
  event.preventDefault();
  const stack = stackOf(error);
  void tell({ kind: "uncaught", why: messageOf(error), ...(stack !== null && { detail: stack }) });
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
