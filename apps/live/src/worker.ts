import { backends } from "@batchnorm/adapters/browser";
import { type Message, messageOf, type Order, runInside, stackOf } from "@batchnorm/conformance";
import type { BackendName } from "./backends.ts";
import { watchDevices } from "./device-loss.ts";
import { siteVectors } from "./vectors.ts";

/** What a worker is asked to do: an order, for one backend of the list. */
export interface WorkerOrder {
  readonly backend: BackendName;
  readonly order: Order;
}

/** What it tells: how the order goes, or that it lost its GPU and can do no more. */
export type WorkerMessage = Message | { readonly kind: "device-lost"; readonly message: string };

addEventListener("error", (event) => tellUncaught(event, event.error ?? event.message));
addEventListener("unhandledrejection", (event) => tellUncaught(event, event.reason));
watchDevices((message) => tell({ kind: "device-lost", message }));

addEventListener("message", ({ data }: MessageEvent<WorkerOrder>) => {
  void runInside(data.order, {
    load: async () => backends[data.backend],
    vectors: siteVectors,
    tell: async (message) => tell(message),
    settle,
    explain: stackOf,
  });
});

function tell(message: WorkerMessage): void {
  postMessage(message);
}

function tellUncaught(event: Event, error: unknown): void {
  event.preventDefault();
  const stack = stackOf(error);
  tell({ kind: "uncaught", why: messageOf(error), ...(stack !== null && { detail: stack }) });
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
