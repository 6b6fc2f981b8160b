import { inPage } from "../isolated/in-page.ts";
import { messageOf, runInside } from "../isolated/inside.ts";
import { decode, encode, type Order } from "../isolated/messages.ts";
import { fetchVectors } from "../vectors/load.ts";

// The little of a page that is needed here: the types of this package are Node's.
declare const location: { readonly search: string };
declare function addEventListener(type: string, listener: () => void): void;
declare class EventSource {
  constructor(url: string);
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
  const inside = inPage((message) => post("/tell", encode(message)));
  forwardConsole();
  const order = await fetch(`/order${location.search}`).then((response) => response.text());
  await runInside(decode<Order>(order), {
    load: async () => (await load()).default,
    vectors: () => fetchVectors("/"),
    ...inside,
  });
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
