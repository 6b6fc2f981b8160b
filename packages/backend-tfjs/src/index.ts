export * from "./backend.ts";
export type { TfjsLayer } from "./layer.ts";
export type { Tf } from "./tf.ts";
