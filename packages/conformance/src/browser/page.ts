import { messageOf, runInside } from "../isolated/inside.ts";
import { decode, encode, type Message, type Order } from "../isolated/messages.ts";
import { stackOf } from "../stack.ts";
import { fetchVectors } from "../vectors/load.ts";

// The little of a page that is needed here: the types of this package are Node's.
declare const location: { readonly search: string };
declare function addEventListener(type: string, listener: (event: UncaughtEvent) => void): void;
declare class EventSource {
  constructor(url: string);
}
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

/** Posts one after another: what is told has to arrive in order. */
let posts: Promise<unknown> = Promise.resolve();

function post(path: string, body: string): Promise<void> {
  const sent = posts.then(() => fetch(`${path}${location.search}`, { method: "POST", body }));
  posts = sent.catch(() => undefined);
  return sent.then(() => undefined);
}

/** Runs one backend in this page: asks for its order, and tells how it goes. */
export async function run(load: () => Promise<{ readonly default?: unknown }>): Promise<void> {
  // Its end is the end of this page as the other side sees it, should the page crash. Chromium may keep it open where the page is left.
  new EventSource(`/alive${location.search}`);
  addEventListener("pagehide", () => void fetch(`/left${location.search}`, { method: "POST", keepalive: true }));
  addEventListener("error", (event) => tellUncaught(event, event.error ?? event.message));
  addEventListener("unhandledrejection", (event) => tellUncaught(event, event.reason));
  forwardConsole();
  const order = await fetch(`/order${location.search}`).then((response) => response.text());
  await runInside(decode<Order>(order), {
    load: async () => (await load()).default,
    vectors: () => fetchVectors("/"),
    tell,
    settle,
    explain: stackOf,
  });
}

function tell(message: Message): Promise<void> {
  return post("/tell", encode(message));
}

function tellUncaught(event: UncaughtEvent, error: unknown): void {
  event.preventDefault();
  const stack = stackOf(error);
  void tell({ kind: "uncaught", why: messageOf(error), ...(stack !== null && { detail: stack }) });
}

/** What a backend prints is shown where the command runs. */
function forwardConsole(): void {
  for (const name of ["debug", "info", "log", "warn", "error"] as const) {
    const original = console[name];
    console[name] = (...values: unknown[]) => {
      original(...values);
      void post("/print", `${values.map((value) => (value instanceof Error ? messageOf(value) : String(value))).join(" ")}\n`);
    };
  }
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
