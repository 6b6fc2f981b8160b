import { backends } from "@batchnorm/adapters/browser";
import { inPage, type Message, type Order, runInside } from "@batchnorm/conformance";
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

const inside = inPage(async (message) => tell(message));
watchDevices((message) => tell({ kind: "device-lost", message }));

addEventListener("message", ({ data }: MessageEvent<WorkerOrder>) => {
  void runInside(data.order, {
    load: async () => backends[data.backend],
    vectors: siteVectors,
    ...inside,
  });
});

function tell(message: WorkerMessage): void {
  postMessage(message);
}
