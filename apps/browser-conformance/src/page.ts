import { decode, encode, fetchVectors, inPage, type Order, runInside } from "@batchnorm/conformance";

declare global {
  /** The outside's end of the line. Takes what `encode` gives. */
  var announce: (text: string) => Promise<void>;
}

const inside = inPage((message) => globalThis.announce(encode(message)));

/** Runs one backend of the config in this page. Takes an order as `encode` gives it. */
export function run(order: string): Promise<void> {
  return runInside(decode<Order>(order), {
    // Not a static import: a config that throws is told of, and does not end the page.
    load: async () => (await import("virtual:conformance-config")).default,
    vectors: () => fetchVectors("/"),
    ...inside,
  });
}
