/**
 * The bytes as a plain Uint8Array; null where they are none. By the tag, which is the same in every realm, where `instanceof` is not:
 * an iframe's, a worker's or a test environment's bytes are bytes. What is shared is copied, since browsers decode no text in
 * shared memory.
 */
export function plainBytes(value: unknown): Uint8Array | null {
  if (!ArrayBuffer.isView(value) || (value as Uint8Array)[Symbol.toStringTag] !== "Uint8Array") return null;
  const view = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return Object.prototype.toString.call(value.buffer) === "[object SharedArrayBuffer]" ? view.slice() : view;
}
